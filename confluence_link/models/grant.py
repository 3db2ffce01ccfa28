"""Grant: what one account allowed one OAuth app; and its sealed token set.

The row is the queue of refreshing: what is due, who holds the lease and what was
sent stands here and nowhere else (design 6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import random_public_id

if TYPE_CHECKING:
    from datetime import datetime


class GrantQuerySet(models.QuerySet["Grant"]):
    def due(self, now: datetime) -> GrantQuerySet:
        """Grants to refresh now that nobody is about to, the most urgent first."""
        return (
            self.free(now)
            .filter(Q(queued_until=None) | Q(queued_until__lt=now), refresh_at__lte=now)
            .order_by(*Grant.URGENCY)
        )

    def free(self, now: datetime) -> GrantQuerySet:
        """Active, and leased by nobody."""
        return self.filter(
            Q(lease_until=None) | Q(lease_until__lt=now), status=Grant.Status.ACTIVE
        )

    def resting(self) -> GrantQuerySet:
        """Those whose person, or all organizations that use them, are switched off."""
        used = Grant.objects.filter(pk=OuterRef("pk"))
        in_use = Exists(used.filter(linked_sites__organization__is_active=True))
        switched_off = Exists(used.filter(linked_sites__organization__is_active=False))
        return self.filter(Q(user__is_active=False) | (~in_use & switched_off))

    def end(self, **more: object) -> None:
        """Unlinks them. Nothing that is under way finds its way back.

        `more` are columns that go as well; the tokens are the vault's to destroy.
        """
        self.update(
            status=Grant.Status.UNLINKED,
            epoch=F("epoch") + 1,
            lease_id=None,
            lease_until=None,
            queued_until=None,
            uncertain_since=None,
            account_name="",
            sites=[],
            **more,
        )


class Grant(models.Model):
    """Belongs to the user who linked it, and survives every change of tokens."""

    class Status(models.TextChoices):
        ACTIVE = "active", "active"
        RECONNECT_NEEDED = "reconnect_needed", "reconnect needed"
        UNLINKED = "unlinked", "unlinked"
        # Its person, or every organization that uses it, was deactivated.
        PAUSED = "paused", "paused"

    class DeathReason(models.TextChoices):
        """Why a grant needs a new consent."""

        REVOKED = "revoked", "ended at Atlassian or by the server's owner"
        ROTATION_LOST = "rotation_lost", "an answer with new tokens was lost"
        IDLE_EXPIRED = "idle_expired", "not refreshed for too long"
        ABSOLUTE_EXPIRED = "absolute_expired", "the consent reached its last day"

    # Uncertain ones first, then the recently used.
    URGENCY: ClassVar = (
        F("uncertain_since").asc(nulls_last=True),
        F("last_used_at").desc(nulls_last=True),
        "refresh_at",
    )

    # Every refresh writes an entry into each index of this table, because `refresh_at`
    # is indexed; so there are few, and none that Django would add by itself.
    public_id = models.CharField(
        max_length=20, default=random_public_id, editable=False
    )
    oauth_app = models.ForeignKey(
        "confluence_link.OAuthApp",
        on_delete=models.PROTECT,
        related_name="grants",
        verbose_name="OAuth app",
        db_index=False,
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="grants",
        db_index=False,
    )
    # Cloud's account_id or Data Center's userKey, compared byte by byte.
    account_id = models.CharField(max_length=255)
    account_name = models.CharField(max_length=255, blank=True)
    scopes = models.JSONField(default=list)
    # What the token reached when it was last listed: dictionaries of `atlassian.Site`.
    sites = models.JSONField(default=list)

    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    death_reason = models.CharField(max_length=20, choices=DeathReason, blank=True)
    # Consents and token sets so far; both are bound into every sealed token.
    epoch = models.PositiveIntegerField(default=1)
    generation = models.PositiveIntegerField(default=1)

    expires_at = models.DateTimeField()
    refresh_at = models.DateTimeField()
    queued_until = models.DateTimeField(null=True, blank=True)
    lease_id = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True)
    # The intent: an exchange of the current generation may have happened since.
    attempt = models.PositiveIntegerField(default=0)
    uncertain_since = models.DateTimeField(null=True, blank=True)

    consecutive_failures = models.PositiveIntegerField(default=0)
    # Refusals of the current epoch and generation; three facts of the proof of death.
    refusals = models.PositiveIntegerField(default=0)
    first_refused_at = models.DateTimeField(null=True, blank=True)
    last_refused_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=40, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)

    consented_at = models.DateTimeField()
    last_rotated_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    # When its person was last told that it ends soon (`notices.reminders`).
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Personal data reporting: when the account's name was read at Atlassian, and
    # when it was last reported there.
    account_read_at = models.DateTimeField(null=True, blank=True)
    account_reported_at = models.DateTimeField(null=True, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["public_id"], name="grant_public_id"),
            # An account is linked by one user at a time …
            models.UniqueConstraint(
                fields=["oauth_app", "account_id"],
                condition=~Q(status="unlinked"),
                name="one_live_grant_per_account",
            ),
            # … who finds the old row again after unlinking.
            models.UniqueConstraint(
                fields=["user", "oauth_app", "account_id"],
                name="one_grant_per_account_and_user",
            ),
        )
        indexes = (
            models.Index(
                fields=["oauth_app", "refresh_at"],
                condition=Q(status="active"),
                name="grant_due_of_app",
            ),
            # Those that nobody refreshes, so that it costs no refresh anything.
            models.Index(
                fields=["status"],
                condition=~Q(status="active"),
                name="grant_at_rest",
            ),
            # The suspects of a mass refusal (`refresh.verdict`).
            models.Index(
                fields=["oauth_app", "last_refused_at"],
                condition=Q(refusals__gt=0),
                name="grant_refused",
            ),
            # What ends soon (`forecast`): some days after the consent, and, while
            # refreshing fails, after the last rotation.
            models.Index(
                fields=["consented_at"],
                condition=Q(status="active"),
                name="grant_consented",
            ),
            models.Index(
                fields=["last_rotated_at"],
                condition=Q(status="active") & ~Q(last_error=""),
                name="grant_failing",
            ),
        )

    def __str__(self) -> str:
        return self.account_name or self.account_id

    @property
    def has_trouble(self) -> bool:
        """Refreshing fails at the moment; we keep trying and nobody need act."""
        return self.status == self.Status.ACTIVE and self.consecutive_failures > 0


class SealedTokenSet(models.Model):
    """A grant's tokens, sealed. Never joined by lists, never shown in the admin.

    Each column is an envelope of `vault`, bound to the grant, its epoch and the
    generation in which it was written; `previous_refresh` to the generation before.
    """

    grant = models.OneToOneField(
        Grant, on_delete=models.CASCADE, related_name="sealed_token_set"
    )
    access = models.BinaryField()
    refresh = models.BinaryField()
    # Kept until the leeway of the other side is over (design 6, I4).
    previous_refresh = models.BinaryField(default=b"")
    previous_until = models.DateTimeField(null=True, blank=True)
    # The key that sealed `refresh`; reports which keys are still needed.
    key_id = models.CharField(max_length=32)

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=["key_id"], name="sealed_token_set_key"),)

    def __str__(self) -> str:
        return f"sealed token set of grant {self.grant_id}"

    def __reduce__(self) -> Any:
        raise TypeError("a sealed token set stays in the database")
