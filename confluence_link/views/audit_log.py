"""The audit log: all that happened in an organization, to read and to take along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Membership
from accounts.paging import with_query
from accounts.rights import Right
from accounts.tenancy import with_right
from confluence_link.models import database_now
from confluence_link.views.audit_filter import AuditFilter
from confluence_link.views.csv_cells import csv_text
from confluence_link.views.event_words import (
    OPERATOR,
    actor_of,
    detail_of,
    title_of,
    tone_of,
)
from confluence_link.views.timeline_cursor import TimelineCursor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.http import HttpRequest

    from accounts.models import Organization
    from confluence_link.models import Event

_EVENTS_PER_PAGE: Final = 50
EXPORTED: Final = 10_000
_HEAD = ("time (UTC)", "kind", "what", "detail", "by", "linked site", "account", "app")


@dataclass(frozen=True, slots=True)
class Line:
    """One event in words. `actor` is empty where nobody is to be named."""

    at: datetime
    kind: str
    title: str
    detail: str
    actor: str
    site: str
    account: str
    app: str
    tone: str

    def as_row(self) -> tuple[str, ...]:
        at = f"{self.at:%Y-%m-%d %H:%M:%S}"
        what = (self.kind, self.title, self.detail, self.actor)
        return (at, *what, self.site, self.account, self.app)


@never_cache
@require_safe
@with_right(Right.READ_AUDIT_LOG)
def audit_log(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = AuditFilter(request.GET)
    if not form.is_valid():
        return _page(request, membership, form, [], status=400)
    cursor = TimelineCursor.parse(request.GET.get("before", ""))
    found = cursor.apply(form.events(membership.organization))
    events = list(found[: _EVENTS_PER_PAGE + 1])
    shown = events[:_EVENTS_PER_PAGE]
    before = cursor.after(shown) if len(events) > _EVENTS_PER_PAGE else ""
    return _page(request, membership, form, shown, before=before)


def _page(
    request: HttpRequest,
    membership: Membership,
    form: AuditFilter,
    events: Sequence[Event],
    *,
    before: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "organization": membership.organization,
        "form": form,
        "lines": _lines(events, membership.organization),
        "exported": EXPORTED,
        "query": with_query(request, before="").partition("?")[2],
        "next_url": with_query(request, before=before) if before else "",
        "first_url": with_query(request, before="") if "before" in request.GET else "",
    }
    return render(request, "confluence_link/audit_log.html", context, status=status)


@never_cache
@require_safe
@with_right(Right.READ_AUDIT_LOG)
def audit_log_csv(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = AuditFilter(request.GET)
    if not form.is_valid():
        return _page(request, membership, form, [], status=400)
    events = list(form.events(membership.organization)[: EXPORTED + 1])
    lines = _lines(events[:EXPORTED], membership.organization)
    rows = [_HEAD, *(line.as_row() for line in lines)]
    if len(events) > EXPORTED:
        rows.append(
            (f"Only the newest {EXPORTED} events; choose an earlier last day.",)
        )
    response = HttpResponse(csv_text(rows), content_type="text/csv; charset=utf-8")
    name = f"audit-log-{membership.organization.slug}-{database_now():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# Events in words
# ------------------------------------------------------------------------------
def _lines(events: Sequence[Event], organization: Organization) -> list[Line]:
    actors = {event.actor_id for event in events}
    acting = Membership.objects.for_organization(organization).filter(user__in=actors)
    members = set(acting.values_list("user", flat=True))
    return [_line(event, members) for event in events]


def _line(event: Event, members: set[int]) -> Line:
    grant, site = event.grant, event.facts.get("site", "")
    return Line(
        at=event.at,
        kind=event.kind,
        title=title_of(event),
        detail=detail_of(event),
        actor=_actor(event, members),
        site=site if isinstance(site, str) else "",
        account=grant.account_name if grant else "",
        app=event.oauth_app.name if event.oauth_app else "",
        tone=tone_of(event),
    )


def _actor(event: Event, members: set[int]) -> str:
    """Operators are not named, unless they are members as well."""
    actor = event.actor
    if actor is not None and actor.is_staff and actor.pk not in members:
        return OPERATOR
    return actor_of(event, event.grant.user_id if event.grant else None)
