"""PendingLink: a consent that the person has not confirmed yet; and used states."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import random_public_id
from accounts.scoping import ScopedQuerySet


class PendingLink(models.Model):
    """Waits at most 15 minutes for the confirm-and-pick page, its tokens sealed."""

    public_id = models.CharField(
        max_length=20, unique=True, default=random_public_id, editable=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="+"
    )
    oauth_app = models.ForeignKey(
        "confluence_link.OAuthApp", on_delete=models.CASCADE, related_name="+"
    )
    # SHA-256 of the session's key: only the browser that began may confirm.
    session_hash = models.CharField(max_length=64, editable=False)
    account_id = models.CharField(max_length=255)
    account_name = models.CharField(max_length=255, blank=True)
    scopes = models.JSONField(default=list)
    sites = models.JSONField(default=list)
    sealed_token_set = models.BinaryField(editable=False)
    expires_in_seconds = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    objects = ScopedQuerySet["PendingLink"].as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"pending link of {self.account_name or self.account_id}"


class UsedState(models.Model):
    """A state that came back. Its unique insert is what claims a callback."""

    # SHA-256 of the state, hexadecimal.
    state_hash = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"state used at {self.used_at}"
