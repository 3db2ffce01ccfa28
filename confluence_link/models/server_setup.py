"""ServerSetup: the single-use form for the administrator of a Data Center server."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.mailed_links import MailedLinkQuerySet
from accounts.models import random_public_id


class ServerSetup(models.Model):
    """Lets who holds the mail enter client id and secret, once, and see nothing."""

    public_id = models.CharField(
        max_length=20, unique=True, default=random_public_id, editable=False
    )
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="+"
    )
    oauth_app = models.ForeignKey(
        "confluence_link.OAuthApp",
        on_delete=models.CASCADE,
        related_name="setups",
        verbose_name="OAuth app",
    )
    email = models.EmailField("e-mail address")
    # SHA-256 of the token, hexadecimal.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = MailedLinkQuerySet["ServerSetup"].as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"set-up of {self.oauth_app_id} by {self.email}"
