"""LinkInvitation: a member is asked to link an account for the organization."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.mailed_links import MailedLinkQuerySet
from accounts.models import random_public_id


class LinkInvitation(models.Model):
    """Short-lived and single-use, for one member. The token is in a mail only."""

    public_id = models.CharField(
        max_length=20, unique=True, default=random_public_id, editable=False
    )
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="+"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    oauth_app = models.ForeignKey(
        "confluence_link.OAuthApp",
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name="OAuth app",
    )
    # The site to take over, if it is about one.
    vacant_site = models.ForeignKey(
        "confluence_link.VacantSite",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    # SHA-256 of the token, hexadecimal.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = MailedLinkQuerySet["LinkInvitation"].as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"link invitation of {self.user_id}"
