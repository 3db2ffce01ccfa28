"""Grants: how refreshing goes for each, and the operator's acts on them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from kombu.exceptions import OperationalError

from accounts.admin import staff
from confluence_link import atlassian, events, forecast, linking, refresh, tasks
from confluence_link.admin.confirmation import ActingAdmin, confirmed
from confluence_link.admin.filters import EndsSoonFilter, LastErrorFilter
from confluence_link.admin.wording import account_name, moment
from confluence_link.errors import ConfluenceLinkError
from confluence_link.models import Event, Grant, database_now
from confluence_link.refresh.schedule import UNCERTAIN_GAP_SECONDS

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

# Each of them is a call or two to Atlassian while the operator waits.
SITES_AT_ONCE = 20


@admin.register(Grant)
class GrantAdmin(ActingAdmin[Grant]):
    list_display = (
        "account",
        "condition",
        "oauth_app",
        "organizations",
        "last_success",
        "last_failure",
        "next_refresh",
        "failures",
        "last_error",
        "ends",
        "user",
    )
    list_filter = (
        "status",
        "death_reason",
        "oauth_app",
        "linked_sites__organization",
        ("last_error", LastErrorFilter),
        EndsSoonFilter,
    )
    search_fields = (
        "account_name",
        "account_id",
        "public_id",
        "user__email",
        "linked_sites__name",
        "linked_sites__organization__name",
    )
    ordering = ("-pk",)
    list_select_related = ("oauth_app__health", "user")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "condition",
                    "why_dead",
                    "account",
                    "account_id",
                    "oauth_app",
                    "user",
                    "public_id",
                    "scopes_in_words",
                    "used_by",
                )
            },
        ),
        (
            "Refreshing",
            {
                "fields": (
                    "last_success",
                    "last_failure",
                    "last_error",
                    "failures",
                    "next_refresh",
                    "refusals",
                    "uncertain_since",
                    "lease_until",
                    "epoch",
                    "generation",
                )
            },
        ),
        (
            "Life",
            {
                "fields": (
                    "consented_at",
                    "last_used_at",
                    "ends_unused",
                    "ends_at_all",
                    "reminded_at",
                )
            },
        ),
    )
    actions = ("refresh_now", "list_sites_again", "unlink")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        return (
            super().get_queryset(request).prefetch_related("linked_sites__organization")
        )

    def in_words(self, row: Grant) -> str:
        return f"{account_name(row)} at {row.oauth_app}, linked by {row.user}"

    # Columns
    # --------------------------------------------------------------------------
    @admin.display(ordering="account_name")
    def account(self, grant: Grant) -> str:
        return account_name(grant)

    @admin.display(description="status", ordering="status")
    def condition(self, grant: Grant) -> str:
        trouble = grant.has_trouble or grant.oauth_app.has_trouble
        if trouble and grant.status == Grant.Status.ACTIVE:
            return "having trouble"
        return grant.get_status_display()

    @admin.display(description="organizations")
    def organizations(self, grant: Grant) -> str:
        names = {site.organization.name for site in grant.linked_sites.all()}
        return ", ".join(sorted(names)) or "-"

    @admin.display(description="last success", ordering="last_rotated_at")
    def last_success(self, grant: Grant) -> str:
        return moment(grant.last_rotated_at)

    @admin.display(description="last failure", ordering="last_error_at")
    def last_failure(self, grant: Grant) -> str:
        return moment(grant.last_error_at)

    @admin.display(description="next refresh", ordering="refresh_at")
    def next_refresh(self, grant: Grant) -> str:
        is_active = grant.status == Grant.Status.ACTIVE
        return moment(grant.refresh_at if is_active else None)

    @admin.display(description="failures", ordering="consecutive_failures")
    def failures(self, grant: Grant) -> int:
        return grant.consecutive_failures

    @admin.display(description="ends")
    def ends(self, grant: Grant) -> str:
        """The day, as `forecast` has it; a clock a little off makes no difference."""
        end = forecast.end_of(grant, timezone.now())
        return f"{end.at:%Y-%m-%d}" if end else "-"

    # The row's own page
    # --------------------------------------------------------------------------
    @admin.display(description="reason")
    def why_dead(self, grant: Grant) -> str:
        return grant.get_death_reason_display() or "-"

    @admin.display(description="may")
    def scopes_in_words(self, grant: Grant) -> str:
        deployment = atlassian.deployment_for(grant.oauth_app)
        return ", ".join(deployment.scopes_in_words(grant.scopes)) or "-"

    @admin.display(description="linked sites")
    def used_by(self, grant: Grant) -> SafeString | str:
        lines = format_html_join(
            "",
            "<li>{}, {}, {}</li>",
            (
                (site, site.organization, site.get_status_display())
                for site in grant.linked_sites.all()
            ),
        )
        return lines or "none"

    @admin.display(description="ends if not refreshed until")
    def ends_unused(self, grant: Grant) -> str:
        days = atlassian.deployment_for(grant.oauth_app).idle_days
        return date_format(grant.last_rotated_at + timedelta(days=days))

    @admin.display(description="ends at the latest")
    def ends_at_all(self, grant: Grant) -> str:
        days = atlassian.deployment_for(grant.oauth_app).absolute_days
        if days is None:
            return "never by itself"
        return date_format(grant.consented_at + timedelta(days=days))

    # Actions
    # --------------------------------------------------------------------------
    @confirmed(
        label="Refresh now",
        consequence="New tokens are fetched before their time. Grants that were"
        " refreshed or failed a moment ago, whose app pauses, or that are not active"
        " are left alone.",
    )
    def refresh_now(self, request: HttpRequest, queryset: QuerySet[Grant]) -> None:
        grants = list(queryset)
        for grant in grants:
            events.record(Event.Kind.REFRESH_ASKED, actor=staff(request), grant=grant)
        if len(grants) == 1:
            outcome = refresh.refresh_now(grant_id=grants[0].pk)
            said = outcome.value.replace("_", " ")
            self.message_user(request, f"{account_name(grants[0])}: {said}")
            return
        due = _make_due(queryset)
        try:
            tasks.sweep.delay()
            then, level = "workers take them.", messages.INFO
        except OperationalError:
            # The rows are due all the same; the message was only a hint.
            then = "Redis does not answer, so they wait for a sweep after it does."
            level = messages.WARNING
        said = f"{due} of {len(grants)} grants are due now; {then}"
        self.message_user(request, said, level)

    @confirmed(
        label="List sites again",
        consequence="Atlassian is asked which sites each account reaches now. Linked"
        " sites that are gone are marked lost, those that came back are linked.",
        at_most=SITES_AT_ONCE,
    )
    def list_sites_again(self, request: HttpRequest, queryset: QuerySet[Grant]) -> None:
        for grant in queryset:
            events.record(Event.Kind.SITES_LISTED, actor=staff(request), grant=grant)
            try:
                linking.list_sites_again(grant=grant)
            except ConfluenceLinkError as error:
                text, level = f"failed: {error}", messages.ERROR
            else:
                text, level = "listed again", messages.SUCCESS
            self.message_user(request, f"{account_name(grant)}: {text}", level)

    @confirmed(
        label="Unlink all sites",
        consequence="Every linked site of these grants stops working for its"
        " organization, and the sealed tokens are erased at once. People have to link"
        " again. The consent itself stays at Atlassian until the person or an"
        " administrator there ends it.",
    )
    def unlink(self, request: HttpRequest, queryset: QuerySet[Grant]) -> None:
        sites = [site for grant in queryset for site in grant.linked_sites.all()]
        for site in sites:
            linking.unlink(linked_site=site, actor=staff(request))
        self.message_user(request, f"Sites unlinked: {len(sites)}.")


def _make_due(grants: QuerySet[Grant]) -> int:
    """The row is the queue: the next sweep takes them, in its order and its shares."""
    now = database_now()
    rotated = timedelta(seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS)
    gap = timedelta(seconds=UNCERTAIN_GAP_SECONDS)
    fair = Grant.objects.filter(
        Q(last_error_at=None) | Q(last_error_at__lte=now - gap),
        pk__in=grants.order_by().values("pk"),
        status=Grant.Status.ACTIVE,
        last_rotated_at__lte=now - rotated,
    )
    return fair.update(refresh_at=now)
