"""LinkedSite: a site that one organization uses through one grant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse

from accounts.models import random_public_id
from confluence_link.models.grant import Grant

if TYPE_CHECKING:
    from accounts.models import Organization


class LinkedSiteQuerySet(models.QuerySet["LinkedSite"]):
    def for_organization(self, organization: Organization) -> LinkedSiteQuerySet:
        """The only way from an organization to its linked sites."""
        return self.filter(organization=organization).select_related(
            "grant__oauth_app__health", "grant__user", "linked_by", "organization"
        )


class LinkedSite(models.Model):
    """Where tenancy starts: the grant is the user's, this is the organization's."""

    class Status(models.TextChoices):
        LINKED = "linked", "linked"
        # No longer in the list of what the token reaches; it may come back.
        LOST = "lost", "lost"
        PAUSED = "paused", "paused"

    public_id = models.CharField(
        max_length=20, unique=True, default=random_public_id, editable=False
    )
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="linked_sites"
    )
    grant = models.ForeignKey(
        Grant, on_delete=models.CASCADE, related_name="linked_sites"
    )
    # Cloud: the cloud id. Data Center: the base URL.
    site_id = models.CharField("site id", max_length=500)
    name = models.CharField(max_length=255)
    url = models.CharField("URL", max_length=500)
    icon_url = models.CharField("icon URL", max_length=500, blank=True)
    scopes = models.JSONField(default=list)
    label = models.CharField(max_length=100, blank=True)
    # Services and the other members see shared ones only.
    shared = models.BooleanField(default=True)
    linked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.LINKED)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LinkedSiteQuerySet.as_manager()

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "grant", "site_id"],
                name="one_linked_site_per_organization_grant_and_site",
            ),
        )

    def __str__(self) -> str:
        return self.label or self.name

    def get_absolute_url(self) -> str:
        return reverse(
            "confluence_link:linked_site",
            args=[self.organization.slug, self.public_id],
        )

    @property
    def condition(self) -> str:
        """The one word of `ux.md` for its health, as a key of the status badge.

        One of: connected, trouble, reconnect_needed, lost, paused, disconnected.
        """
        if self.grant.status == Grant.Status.RECONNECT_NEEDED:
            return "reconnect_needed"
        if self.grant.status == Grant.Status.UNLINKED:
            return "disconnected"
        if self.status != self.Status.LINKED:
            return self.status
        trouble = self.grant.has_trouble or self.grant.oauth_app.has_trouble
        return "trouble" if trouble else "connected"
