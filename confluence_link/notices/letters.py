"""Who hears of an event, judged when the mail is sent and not when it happened.

Whoever left meanwhile, lost the right, was deactivated or deleted hears nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from accounts.mails import one_line
from accounts.models import ServiceKey, User
from accounts.rights import Right
from confluence_link.models import Event, LinkedSite, VacantSite
from confluence_link.notices import ends
from confluence_link.notices.letter import Letter, fact, members, operators, url_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


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
        "site": fact(event, "site"),
        "organization": one_line(organization.name),
        "account": one_line(event.grant.account_name),
        "linker": one_line(str(linker)),
        "url": url_of("confluence_link:linked_sites", organization.slug),
    }
    if members(organization).filter(pk=linker.pk).exists():
        yield Letter(linker, "linked", words)
    shared = LinkedSite.objects.filter(
        organization=organization,
        public_id=event.facts.get("linked_site", ""),
        shared=True,
    )
    if shared.exists():
        for owner in members(organization, Right.OWN).exclude(pk=linker.pk):
            yield Letter(owner, "linked_by_another", words)


def _adopter_named(event: Event) -> Iterator[Letter]:
    """The vacant site must still wait for this very person."""
    member = event.facts.get("member", "")
    waiting = VacantSite.objects.filter(
        organization=event.organization_id,
        public_id=event.facts.get("linked_site", ""),
        adopter__memberships__public_id=member,
    ).select_related("organization", "oauth_app")
    for site in waiting:
        people = members(site.organization)
        adopter = people.filter(memberships__public_id=member).first()
        if adopter is None:
            continue
        words = {
            "site": one_line(str(site)),
            "organization": one_line(site.organization.name),
            "app": one_line(site.oauth_app.name),
            "asked_by": one_line(str(event.actor or "An admin")),
            "url": url_of("confluence_link:organization", site.organization.slug),
        }
        yield Letter(adopter, "adopter_named", words)


def _member_removed(event: Event) -> Iterator[Letter]:
    """The one mail to somebody who is no member: that they are none any more."""
    if event.organization is None:
        return
    removed = User.objects.filter(email=event.facts.get("who", ""), is_active=True)
    for person in removed.exclude(memberships__organization=event.organization):
        words = {
            "organization": one_line(event.organization.name),
            "url": url_of("home"),
        }
        yield Letter(person, "member_removed", words)


# Apps
# ------------------------------------------------------------------------------
def _configuration_refused(event: Event) -> Iterator[Letter]:
    app = event.oauth_app
    if app is None:
        return
    words = {"app": one_line(app.name), "error": fact(event, "error")}
    change = url_of("admin:confluence_link_oauthapp_change", app.pk)
    for operator in operators():
        yield Letter(operator, "configuration_refused", {**words, "url": change})
    if app.organization is None:
        return
    page = url_of("confluence_link:server", app.organization.slug, app.provider_id)
    words["organization"] = one_line(app.organization.name)
    for admin in members(app.organization, Right.ADD_SERVERS):
        yield Letter(admin, "server_refused", {**words, "url": page})


def _mass_refusal(event: Event) -> Iterator[Letter]:
    if event.oauth_app is None:
        return
    words = {
        "app": one_line(event.oauth_app.name),
        "suspects": one_line(str(event.facts.get("suspects", ""))),
        "url": url_of("admin:confluence_link_grant_changelist"),
    }
    for operator in operators():
        yield Letter(operator, "mass_refusal", words)


def _reporting_refused(event: Event) -> Iterator[Letter]:
    app = event.oauth_app
    if app is None or app.reporting_refused_at is None:
        return
    change = url_of("admin:confluence_link_oauthapp_change", app.pk)
    words = {"app": one_line(app.name), "url": change}
    for operator in operators():
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
        "key": fact(event, "name"),
        "organization": one_line(organization.name),
        "url": url_of("accounts:keys", organization.slug),
    }
    for admin in members(organization, Right.MAKE_KEYS):
        yield Letter(admin, "key_exposed", words)


_LETTERS: dict[Event.Kind, Callable[[Event], Iterable[Letter]]] = {
    Event.Kind.LINKED: _linked,
    Event.Kind.RECONNECT_NEEDED: ends.reconnect_needed,
    Event.Kind.ENDS_SOON: ends.ends_soon,
    Event.Kind.ADOPTER_NAMED: _adopter_named,
    Event.Kind.MEMBER_REMOVED: _member_removed,
    Event.Kind.CONFIGURATION_REFUSED: _configuration_refused,
    Event.Kind.MASS_REFUSAL: _mass_refusal,
    Event.Kind.REPORTING_REFUSED: _reporting_refused,
    Event.Kind.KEY_EXPOSED: _key_exposed,
}
