"""LinkedSite: a site that one organization uses through one grant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Case, Count, F, Q, Value, When
from django.urls import reverse

from accounts.models import random_public_id
from accounts.rights import Right
from accounts.scoping import ScopedQuerySet
from confluence_link.models.grant import Grant

if TYPE_CHECKING:
    from accounts.models import Membership, Organization


class LinkedSiteQuerySet(ScopedQuerySet["LinkedSite"]):
    """Every way from an organization to its linked sites, and who sees which.

    Pages ask `visible_to` where a site is named, `usable_by` where it is opened.
    """

    def for_organization(self, organization: Organization | int) -> LinkedSiteQuerySet:
        """All there are, shared or not: for flows, not for what somebody is shown."""
        return (
            super()
            .for_organization(organization)
            .select_related(
                "grant__oauth_app__health", "grant__user", "linked_by", "organization"
            )
        )

    def visible_to(self, membership: Membership) -> LinkedSiteQuerySet:
        """What the member may know to exist; not all of it may be opened."""
        if membership.may(Right.UNLINK_OTHERS):
            return self.for_organization(membership.organization)
        return self.usable_by(membership)

    def counted_for(self, membership: Membership) -> LinkedSiteQuerySet:
        """What charts count for the member: all, or what all members may know of.

        Tallies know no persons, so a member's own sites that are not shared are left
        out, too.
        """
        if membership.may(Right.UNLINK_OTHERS):
            return self.for_organization(membership.organization)
        return self.for_services(membership.organization)

    def usable_by(self, membership: Membership) -> LinkedSiteQuerySet:
        """What the member may open: shared sites, and those of their own grants."""
        return self.for_organization(membership.organization).filter(
            Q(shared=True) | Q(grant__user=membership.user_id)
        )

    def for_services(self, organization: Organization) -> LinkedSiteQuerySet:
        """What the organization's keys reach: shared sites."""
        return self.for_organization(organization).filter(shared=True)

    def count_by_condition(self) -> dict[str, int]:
        """How many there are of each `LinkedSite.condition`, which this repeats."""
        rows = self.order_by().annotate(word=_CONDITION).values_list("word")
        return dict(rows.annotate(count=Count("pk")))


_CONDITION = Case(
    When(grant__status=Grant.Status.RECONNECT_NEEDED, then=Value("reconnect_needed")),
    When(grant__status=Grant.Status.UNLINKED, then=Value("disconnected")),
    When(grant__status=Grant.Status.PAUSED, then=Value("paused")),
    When(~Q(status="linked"), then=F("status")),
    When(
        Q(grant__consecutive_failures__gt=0)
        | Q(grant__oauth_app__health__openings__gt=0),
        then=Value("trouble"),
    ),
    default=Value("connected"),
    output_field=models.CharField(),
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

    def is_of(self, membership: Membership) -> bool:
        """Whether it is linked through this very person's account."""
        return self.grant.user_id == membership.user_id

    def is_usable_by(self, membership: Membership) -> bool:
        """As `usable_by`, of a row that `visible_to` found."""
        return self.shared or self.is_of(membership)

    def may_be_unlinked_by(self, membership: Membership) -> bool:
        """Everyone their own; the others' with the right to."""
        return self.is_of(membership) or membership.may(Right.UNLINK_OTHERS)

    def may_be_shared_by(self, membership: Membership) -> bool:
        """Nobody gives away what another person's account reaches."""
        return self.is_of(membership) and membership.may(Right.SHARE)

    def may_be_unshared_by(self, membership: Membership) -> bool:
        """Whoever could end the link may also end the others' use of it."""
        return self.may_be_shared_by(membership) or membership.may(Right.UNLINK_OTHERS)

    @property
    def condition(self) -> str:
        """The one word of `ux.md` for its health, as a key of the status badge.

        One of: connected, trouble, reconnect_needed, lost, paused, disconnected.
        """
        if self.grant.status == Grant.Status.RECONNECT_NEEDED:
            return "reconnect_needed"
        if self.grant.status == Grant.Status.UNLINKED:
            return "disconnected"
        if self.grant.status == Grant.Status.PAUSED:
            return "paused"
        if self.status != self.Status.LINKED:
            return self.status
        trouble = self.grant.has_trouble or self.grant.oauth_app.has_trouble
        return "trouble" if trouble else "connected"
