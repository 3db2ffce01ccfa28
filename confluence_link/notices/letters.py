"""Who hears of an event, judged when the mail is sent and not when it happened.

Whoever left meanwhile, lost the right, was deactivated or deleted hears nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from accounts.mails import one_line
from accounts.models import Membership, ServiceKey, User
from accounts.rights import ROLES_WITH, Right
from confluence_link import forecast
from confluence_link.models import Event, Grant, LinkedSite, VacantSite, database_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.models import QuerySet

    from accounts.models import Organization

_SITES_IN_A_MAIL = 10
# From then on those who may ask the account's person hear of its end, too.
ADMINS_DAYS_AHEAD = 7


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person. Everything in `words` is one line."""

    to: User
    template: str
    words: dict[str, Any] = field(default_factory=dict)


def letters(event: Event) -> Iterable[Letter]:
    """Nothing, if what it is about was deleted or repaired meanwhile."""
    return _LETTERS[Event.Kind(event.kind)](event)


# Links
# ------------------------------------------------------------------------------
def _linked(event: Event) -> Iterator[Letter]:
    if event.grant is None or event.organization is None:
        return
    linker, organization = event.grant.user, event.organization
    words = {
        "site": _fact(event, "site"),
        "organization": one_line(organization.name),
        "account": one_line(event.grant.account_name),
        "linker": one_line(str(linker)),
        "url": _url("confluence_link:linked_sites", organization.slug),
    }
    if _members(organization).filter(pk=linker.pk).exists():
        yield Letter(linker, "linked", words)
    shared = LinkedSite.objects.filter(
        organization=organization,
        public_id=event.facts.get("linked_site", ""),
        shared=True,
    )
    if shared.exists():
        for owner in _members(organization, Right.OWN).exclude(pk=linker.pk):
            yield Letter(owner, "linked_by_another", words)


def _reconnect_needed(event: Event) -> Iterator[Letter]:
    grant = event.grant
    if grant is None or grant.status != Grant.Status.RECONNECT_NEEDED:
        return
    words = {
        "account": one_line(grant.account_name),
        "app": one_line(grant.oauth_app.name),
        "reason": grant.get_death_reason_display(),
        "owner": one_line(str(grant.user)),
    }
    for number, (organization, linked) in enumerate(_used_by(grant).items()):
        url = _url("confluence_link:linked_sites", organization.slug)
        found = {**words, "url": url, "organization": one_line(organization.name)}
        # Once, however many organizations use the account.
        if number == 0 and grant.user.is_active:
            yield Letter(grant.user, "reconnect_needed", found)
        shared = _names(site for site in linked if site.shared)
        if shared:
            admins = _members(organization, Right.SEND_LINK_INVITATIONS)
            for admin in admins.exclude(pk=grant.user_id):
                yield Letter(admin, "reconnect_needed_here", {**found, "sites": shared})


def _ends_soon(event: Event) -> Iterator[Letter]:
    """Not if it was reconnected, is refreshed again, or has ended meanwhile."""
    grant, now = event.grant, database_now()
    end = forecast.end_of(grant, now) if grant else None
    if grant is None or end is None or not end.is_soon(now):
        return
    if grant.status != Grant.Status.ACTIVE or grant.epoch != event.facts.get("epoch"):
        return
    words = {
        "account": one_line(grant.account_name),
        "app": one_line(grant.oauth_app.name),
        "owner": one_line(str(grant.user)),
        "ends_on": f"{end.at:%-d %B %Y}",
        "days": end.days_left(now),
        "limit": end.limit,
        "renewed_on": f"{grant.last_rotated_at:%-d %B %Y}",
    }
    for number, (organization, linked) in enumerate(_used_by(grant).items()):
        found = {**words, "organization": one_line(organization.name)}
        # Once, however many organizations use the account.
        if number == 0 and grant.user.is_active:
            url = _reconnect_url(linked[0])
            yield Letter(grant.user, "ends_soon", {**found, "url": url})
        shared = _names(site for site in linked if site.shared)
        if shared and event.facts.get("days", 0) <= ADMINS_DAYS_AHEAD:
            url = _url("confluence_link:linked_sites", organization.slug)
            admins = _members(organization, Right.SEND_LINK_INVITATIONS)
            for admin in admins.exclude(pk=grant.user_id):
                here = {**found, "url": url, "sites": shared}
                yield Letter(admin, "ends_soon_here", here)


def _used_by(grant: Grant) -> dict[Organization, list[LinkedSite]]:
    here: dict[Organization, list[LinkedSite]] = {}
    sites = LinkedSite.objects.filter(grant=grant, organization__is_active=True)
    for site in sites.select_related("organization"):
        here.setdefault(site.organization, []).append(site)
    return here


def _reconnect_url(site: LinkedSite) -> str:
    """The short page before leaving, for the site's linker."""
    start = _url("confluence_login", site.grant.oauth_app.provider_id)
    query = {"organization": site.organization.slug, "reconnect": site.public_id}
    return f"{start}?{urlencode(query)}"


def _adopter_named(event: Event) -> Iterator[Letter]:
    """The vacant site must still wait for this very person."""
    member = event.facts.get("member", "")
    waiting = VacantSite.objects.filter(
        organization=event.organization_id,
        public_id=event.facts.get("linked_site", ""),
        adopter__memberships__public_id=member,
    ).select_related("organization", "oauth_app")
    for site in waiting:
        people = _members(site.organization)
        adopter = people.filter(memberships__public_id=member).first()
        if adopter is None:
            continue
        words = {
            "site": one_line(str(site)),
            "organization": one_line(site.organization.name),
            "app": one_line(site.oauth_app.name),
            "asked_by": one_line(str(event.actor or "An admin")),
            "url": _url("confluence_link:organization", site.organization.slug),
        }
        yield Letter(adopter, "adopter_named", words)


def _member_removed(event: Event) -> Iterator[Letter]:
    """The one mail to somebody who is no member: that they are none any more."""
    if event.organization is None:
        return
    removed = User.objects.filter(email=event.facts.get("who", ""), is_active=True)
    for person in removed.exclude(memberships__organization=event.organization):
        words = {"organization": one_line(event.organization.name), "url": _url("home")}
        yield Letter(person, "member_removed", words)


# Apps
# ------------------------------------------------------------------------------
def _configuration_refused(event: Event) -> Iterator[Letter]:
    app = event.oauth_app
    if app is None:
        return
    words = {"app": one_line(app.name), "error": _fact(event, "error")}
    change = _url("admin:confluence_link_oauthapp_change", app.pk)
    for operator in _operators():
        yield Letter(operator, "configuration_refused", {**words, "url": change})
    if app.organization is None:
        return
    page = _url("confluence_link:server", app.organization.slug, app.provider_id)
    words["organization"] = one_line(app.organization.name)
    for admin in _members(app.organization, Right.ADD_SERVERS):
        yield Letter(admin, "server_refused", {**words, "url": page})


def _mass_refusal(event: Event) -> Iterator[Letter]:
    if event.oauth_app is None:
        return
    words = {
        "app": one_line(event.oauth_app.name),
        "suspects": one_line(str(event.facts.get("suspects", ""))),
        "url": _url("admin:confluence_link_grant_changelist"),
    }
    for operator in _operators():
        yield Letter(operator, "mass_refusal", words)


def _reporting_refused(event: Event) -> Iterator[Letter]:
    app = event.oauth_app
    if app is None or app.reporting_refused_at is None:
        return
    change = _url("admin:confluence_link_oauthapp_change", app.pk)
    words = {"app": one_line(app.name), "url": change}
    for operator in _operators():
        yield Letter(operator, "reporting_refused", words)


# Keys
# ------------------------------------------------------------------------------
def _key_exposed(event: Event) -> Iterator[Letter]:
    """While the key can still be misused."""
    organization = event.organization
    keys = ServiceKey.objects.filter(
        organization=organization, prefix=event.facts.get("prefix", ""), revoked_at=None
    )
    alive = keys.filter(Q(expires_at=None) | Q(expires_at__gt=event.at))
    if organization is None or not alive.exists():
        return
    words = {
        "key": _fact(event, "name"),
        "organization": one_line(organization.name),
        "url": _url("accounts:keys", organization.slug),
    }
    for admin in _members(organization, Right.MAKE_KEYS):
        yield Letter(admin, "key_exposed", words)


_LETTERS: dict[Event.Kind, Callable[[Event], Iterable[Letter]]] = {
    Event.Kind.LINKED: _linked,
    Event.Kind.RECONNECT_NEEDED: _reconnect_needed,
    Event.Kind.ENDS_SOON: _ends_soon,
    Event.Kind.ADOPTER_NAMED: _adopter_named,
    Event.Kind.MEMBER_REMOVED: _member_removed,
    Event.Kind.CONFIGURATION_REFUSED: _configuration_refused,
    Event.Kind.MASS_REFUSAL: _mass_refusal,
    Event.Kind.REPORTING_REFUSED: _reporting_refused,
    Event.Kind.KEY_EXPOSED: _key_exposed,
}


# People and words
# ------------------------------------------------------------------------------
def _members(organization: Organization, right: Right = Right.LINK) -> QuerySet[User]:
    """Active people of an active organization who have the right now."""
    members = Membership.objects.filter(
        organization=organization,
        organization__is_active=True,
        role__in=ROLES_WITH[right],
    )
    active = User.objects.filter(is_active=True, pk__in=members.values("user"))
    return active.order_by("pk")


def _operators() -> QuerySet[User]:
    return User.objects.filter(is_superuser=True, is_active=True).order_by("pk")


def _names(sites: Iterable[LinkedSite]) -> list[str]:
    names = [one_line(str(site)) for site in sites]
    more = len(names) - _SITES_IN_A_MAIL
    return names if more < 1 else [*names[:_SITES_IN_A_MAIL], f"and {more} more"]


def _fact(event: Event, name: str) -> str:
    return one_line(str(event.facts.get(name, "")))


def _url(name: str, *args: object) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name, args=args)}"
