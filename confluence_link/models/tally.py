"""Tallies: how much was refreshed in one hour. For display, and for nothing else.

A row is written by every batch of its hour, so a count is in no index: PostgreSQL then
updates it in place (HOT). Nor does the database check what a row points to: a count
that arrives while its organization or app is deleted must not undo the deletion. Such
a row is shown to nobody, and goes with the others of its age.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Sum

from accounts.rights import Right
from accounts.scoping import ScopedQuerySet

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from accounts.models import Membership


class OrganizationTallyQuerySet(ScopedQuerySet["OrganizationTally"]):
    def refreshed_by_hour(
        self, membership: Membership, hours: Collection[datetime]
    ) -> dict[datetime, int]:
        """Of the sites that `LinkedSite.objects.counted_for` names."""
        sees_all = membership.may(Right.UNLINK_OTHERS)
        rows = self.for_organization(membership.organization).filter(hour__in=hours)
        return dict(
            rows.values_list("hour", "refreshed" if sees_all else "refreshed_shared")
        )


class OrganizationTally(models.Model):
    """Refreshed grants that an organization has a linked site of."""

    pk = models.CompositePrimaryKey("hour", "organization_id")
    # Its start, by the database's clock.
    hour = models.DateTimeField()
    organization = models.ForeignKey(
        "accounts.Organization",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    refreshed = models.PositiveIntegerField()
    # Those of shared linked sites: of the others not every member may know.
    refreshed_shared = models.PositiveIntegerField()

    objects = OrganizationTallyQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.refreshed} refreshed at {self.hour:%Y-%m-%d %H:%M}"


class OAuthAppTallyQuerySet(models.QuerySet["OAuthAppTally"]):
    def refreshed_by_hour(self, hours: Collection[datetime]) -> dict[datetime, int]:
        """Of all apps together."""
        rows = self.filter(hour__in=hours).values_list("hour")
        return dict(rows.annotate(total=Sum("refreshed")))


class OAuthAppTally(models.Model):
    """Refreshed grants of an OAuth app."""

    pk = models.CompositePrimaryKey("hour", "oauth_app_id")
    hour = models.DateTimeField()
    oauth_app = models.ForeignKey(
        "confluence_link.OAuthApp",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    refreshed = models.PositiveIntegerField()

    objects = OAuthAppTallyQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.refreshed} refreshed at {self.hour:%Y-%m-%d %H:%M}"
