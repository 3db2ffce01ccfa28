"""Event: the append-only record of what happened to what, by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from confluence_link.models.linked_site import LinkedSite

if TYPE_CHECKING:
    from accounts.models import Organization


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, organization: Organization) -> EventQuerySet:
        """Its own events, and what its grants went through since it linked them.

        A grant may serve several organizations: of the others nothing is there.
        """
        since = LinkedSite.objects.filter(
            organization=organization,
            grant=OuterRef("grant"),
            created_at__lte=OuterRef("at"),
        )
        nobodys = Q(organization=None) & Exists(since)
        return self.filter(Q(organization=organization) | nobodys)

    def about(self, linked_site: LinkedSite) -> EventQuerySet:
        """What happened to it and to its grant as a whole.

        Not what the account's other sites went through: some may not be shared.
        """
        of_it_or_all = Q(facts__linked_site=linked_site.public_id) | ~Q(
            facts__has_key="site"
        )
        return self.filter(of_it_or_all, grant=linked_site.grant_id)


class Event(models.Model):
    """The source of timelines and mails. Holds no secret and no remote text."""

    class Kind(models.TextChoices):
        LINKED = "site.linked", "Site linked"
        UNLINKED = "site.unlinked", "Site unlinked"
        SITE_LOST = "site.lost", "Site no longer reachable"
        SITE_BACK = "site.back", "Site reachable again"
        LINK_REFUSED = "link.refused", "Link refused"
        RELINKED = "grant.relinked", "Consent renewed"
        # Of earlier versions, until `events.purge` finds it. Tallies count them now.
        REFRESHED = "grant.refreshed", "Tokens refreshed"
        REFRESH_FAILED = "grant.refresh_failed", "Refresh failed"
        RECOVERED = "grant.recovered", "Refreshing works again"
        RECONNECT_NEEDED = "grant.reconnect_needed", "Reconnect needed"
        ENDS_SOON = "grant.ends_soon", "Access ends soon"
        REFRESH_ASKED = "grant.refresh_asked", "Refresh asked for by an operator"
        SITES_LISTED = "grant.sites_listed", "Sites listed again by an operator"
        GRANT_UNLINKED = "grant.unlinked", "Tokens erased"
        PAGE_CREATED = "page.created", "Page created"
        CONFIGURATION_REFUSED = "app.configuration_refused", "App settings refused"
        CONFIGURATION_ACCEPTED = "app.configuration_accepted", "App settings accepted"
        MASS_REFUSAL = "app.mass_refusal", "Many grants refused at once"
        APP_CHANGED = "app.changed", "App changed"
        SITE_SHARED = "site.shared", "Site shared with the organization"
        SITE_UNSHARED = "site.unshared", "Site kept to its linker"
        SITE_VACATED = "site.vacated", "Site without an account"
        ADOPTER_NAMED = "site.adopter_named", "Somebody asked to take a site over"
        SITE_ADOPTED = "site.adopted", "Site taken over"
        VACANT_SITE_DROPPED = "site.dropped", "Site without an account removed"
        LINK_INVITED = "link.invited", "Member asked to link an account"
        GRANT_PAUSED = "grant.paused", "Paused with its person or organization"
        GRANT_RESUMED = "grant.resumed", "Resumed"
        ACCOUNT_CLOSED = "account.closed", "Account closed at Atlassian; data erased"
        REPORTING_REFUSED = "app.reporting_refused", "Personal data not reported"
        SERVER_ADDED = "server.added", "Server added"
        SERVER_CHANGED = "server.changed", "Server changed"
        SERVER_REMOVED = "server.removed", "Server removed"
        SERVER_SETUP_SENT = "server.setup_sent", "Server's administrator asked"
        SERVER_SET_UP = "server.set_up", "Client id and secret entered"
        SECRET_ADDED = "server.secret_added", "Second client secret entered"
        SECRET_CHANGED = "server.secret_changed", "Client secret changed"
        ORGANIZATION_CREATED = "organization.created", "Organization created"
        ORGANIZATION_CHANGED = "organization.changed", "Organization changed"
        ORGANIZATION_DELETED = "organization.deleted", "Organization deleted"
        MEMBER_INVITED = "member.invited", "Person invited"
        INVITATION_REVOKED = "member.invitation_revoked", "Invitation revoked"
        MEMBER_JOINED = "member.joined", "Person joined"
        ROLE_CHANGED = "member.role_changed", "Role changed"
        MEMBER_LEFT = "member.left", "Person left"
        MEMBER_REMOVED = "member.removed", "Person removed"
        KEY_MADE = "key.made", "Service key made"
        KEY_REVOKED = "key.revoked", "Service key revoked"
        KEY_EXPOSED = "key.exposed", "Service key seen in an address"

    class Notice(models.TextChoices):
        """Whether a mail goes out about it; `sent` is claimed before sending."""

        NONE = "", "none"
        PENDING = "pending", "pending"
        SENT = "sent", "sent"

    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=40, choices=Kind, db_index=True)
    organization = models.ForeignKey(
        "accounts.Organization",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Empty: a worker.",
    )
    oauth_app = models.ForeignKey(
        "confluence_link.OAuthApp",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name="OAuth app",
    )
    grant = models.ForeignKey(
        "confluence_link.Grant",
        on_delete=models.SET_NULL,
        null=True,
        related_name="events",
    )
    # Names and small facts as they were, so that the record outlives the rows.
    facts = models.JSONField(default=dict)
    notice = models.CharField(max_length=8, choices=Notice, blank=True, default="")

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (
            models.Index(
                fields=["id"],
                condition=models.Q(notice="pending"),
                name="event_notice_pending",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M:%S}"
