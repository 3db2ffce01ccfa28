"""What needs somebody in an organization: who must act; where, for whom may act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from django.db.models import Case, F, Model, Q, Value, When
from django.urls import reverse

from accounts.models import Invitation
from accounts.rights import Right
from confluence_link import forecast
from confluence_link.models import Grant, LinkedSite, OAuthApp, VacantSite
from confluence_link.views.outcomes.broken_answers import CONSENT_ENDED
from confluence_link.views.site_card import link_url, reconnect_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import Membership

M = TypeVar("M", bound=Model)

# Of each kind; a list of its own has the others.
AT_MOST: Final = 3
INVITATION_ENDS_SOON: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Need:
    """`url` is empty for who can only know of it, and `button` with it."""

    title: str
    text: str
    url: str = ""
    button: str = ""


def needs_of(membership: Membership, now: datetime) -> list[Need]:
    """What the member may know of, the worst first."""
    return [
        *_dead(membership),
        *_lost(membership),
        *_ending(membership, now),
        *_refused_apps(membership),
        *_ending_certificates(membership, now),
        *_vacant(membership),
        *_unfinished_servers(membership),
        *_ending_invitations(membership, now),
    ]


def _first(
    rows: QuerySet[M], in_words: Callable[[M], Need], *, rest: str, url: str
) -> list[Need]:
    found = list(rows[: AT_MOST + 1])
    needs = [in_words(row) for row in found[:AT_MOST]]
    if len(found) > AT_MOST:
        needs.append(Need(rest, "", url, "See all" if url else ""))
    return needs


def _page(membership: Membership, name: str, *more: str) -> str:
    return reverse(name, args=[membership.organization.slug, *more])


def _sites_page(membership: Membership) -> str:
    return _page(membership, "confluence_link:linked_sites")


# Linked sites
# ------------------------------------------------------------------------------
def _dead(membership: Membership) -> list[Need]:
    def in_words(site: LinkedSite) -> Need:
        why = CONSENT_ENDED.get(site.grant.death_reason, "The consent has ended.")
        return _to_reconnect(f"{site} needs a reconnect", why, site, membership)

    return _first(
        _sites(membership, Q(grant__status=Grant.Status.RECONNECT_NEEDED)),
        in_words,
        rest="More sites need a reconnect",
        url=_sites_page(membership),
    )


def _lost(membership: Membership) -> list[Need]:
    def in_words(site: LinkedSite) -> Need:
        why = "The linked account no longer reaches it."
        return _to_reconnect(f"{site} is no longer reachable", why, site, membership)

    lost = Q(status=LinkedSite.Status.LOST, grant__status=Grant.Status.ACTIVE)
    return _first(
        _sites(membership, lost),
        in_words,
        rest="More sites are no longer reachable",
        url=_sites_page(membership),
    )


def _ending(membership: Membership, now: datetime) -> list[Need]:
    def in_words(site: LinkedSite) -> Need:
        end = forecast.end_of(site.grant, now)
        on = f" on {end.at:%-d %B %Y}" if end else " soon"
        why = f"The access ends{on}. Reconnecting before keeps all settings."
        return _to_reconnect(f"{site} ends soon", why, site, membership)

    ending = Grant.objects.filter(forecast.ends_soon(now))
    return _first(
        _sites(membership, Q(grant__in=ending, status=LinkedSite.Status.LINKED)),
        in_words,
        rest="More sites end soon",
        url=_sites_page(membership),
    )


def _sites(membership: Membership, where: Q) -> QuerySet[LinkedSite]:
    """One's own first: those one can repair."""
    own = When(grant__user=membership.user_id, then=Value(0))
    return (
        LinkedSite.objects.visible_to(membership)
        .filter(where)
        .order_by(Case(own, default=Value(1)), "name", "pk")
    )


def _to_reconnect(
    title: str, why: str, site: LinkedSite, membership: Membership
) -> Need:
    if site.grant.user_id == membership.user_id:
        return Need(title, why, reconnect_url(site), "Reconnect")
    text = f"{why} Only {site.grant.user} can reconnect it: the account is theirs."
    if membership.may(Right.SEND_LINK_INVITATIONS):
        return Need(title, text, _sites_page(membership), "Ask them")
    return Need(title, text)


def _vacant(membership: Membership) -> list[Need]:
    rows = VacantSite.objects.for_organization(membership.organization)
    if not membership.may(Right.REMOVE_MEMBERS):
        rows = rows.filter(Q(shared=True) | Q(adopter=membership.user_id))
    mine = When(adopter=membership.user_id, then=Value(0))
    return _first(
        rows.order_by(Case(mine, default=Value(1)), "name", "pk"),
        lambda site: _to_adopt(site, membership),
        rest="More sites have no account",
        url=_sites_page(membership),
    )


def _to_adopt(site: VacantSite, membership: Membership) -> Need:
    title = f"{site} has no account"
    gone = f"{site.former or 'The person who linked it'} is gone."
    if site.adopter_id == membership.user_id:
        start = link_url(site.oauth_app, membership.organization, adopt=site.public_id)
        text = f"{gone} You were asked to link it with an account of yours."
        return Need(title, text, start, "Take it over")
    if site.adopter is not None:
        text = f"{gone} {site.adopter} was asked to take it over."
    else:
        text = f"{gone} An admin must name who takes it over."
    if membership.may(Right.REMOVE_MEMBERS):
        page = _page(membership, "confluence_link:name_adopter", site.public_id)
        return Need(title, text, page, "Ask somebody")
    return Need(title, text)


# Servers
# ------------------------------------------------------------------------------
def _refused_apps(membership: Membership) -> list[Need]:
    rows = OAuthApp.objects.for_organization(membership.organization).filter(
        health__configuration_refused_since__isnull=False
    )
    return _first(
        rows.order_by(F("organization").asc(nulls_last=True), "name", "pk"),
        lambda app: _to_correct(app, membership),
        rest="More servers refuse the settings of this service",
        url="",
    )


def _to_correct(app: OAuthApp, membership: Membership) -> Need:
    title = f"{app.name} refuses the settings of this service"
    if app.organization_id is None:
        who = "The operators of this service have been told."
        return Need(title, f"Links are kept, and wait. {who}")
    if not membership.may(Right.ADD_SERVERS):
        who = "An admin must check client ID and secret."
        return Need(title, f"Links are kept, and wait. {who}")
    text = "Links are kept, and wait. Check client ID and secret."
    return Need(title, text, _server_page(app, membership), "Check the server")


def _ending_certificates(membership: Membership, now: datetime) -> list[Need]:
    if not membership.may(Right.ADD_SERVERS):
        return []

    def in_words(app: OAuthApp) -> Need:
        at = app.client_certificate_expires_at
        assert at is not None
        ends = "ended" if at <= now else "ends"
        title = f"The client certificate for {app} {ends} on {at.day} {at:%B %Y}"
        text = "Without a valid one nobody reaches the server, and links wait."
        url = _page(membership, "confluence_link:server_settings", app.provider_id)
        return Need(title, text, url, "Change it")

    own = OAuthApp.objects.owned_by(membership.organization)
    return _first(
        own.with_ending_certificate(now),
        in_words,
        rest="More client certificates end",
        url=_page(membership, "confluence_link:servers"),
    )


def _unfinished_servers(membership: Membership) -> list[Need]:
    if not membership.may(Right.ADD_SERVERS):
        return []
    text = "Client ID and secret are not entered yet, so nobody can link there."
    return _first(
        OAuthApp.objects.owned_by(membership.organization)
        .filter(client_id="", enabled=True)
        .order_by("name", "pk"),
        lambda app: Need(
            f"{app.name} waits for its set-up",
            text,
            _server_page(app, membership),
            "Go on",
        ),
        rest="More servers wait for their set-up",
        url=_page(membership, "confluence_link:servers"),
    )


def _server_page(app: OAuthApp, membership: Membership) -> str:
    return _page(membership, "confluence_link:server", app.provider_id)


# People
# ------------------------------------------------------------------------------
def _ending_invitations(membership: Membership, now: datetime) -> list[Need]:
    if not membership.may(Right.INVITE):
        return []
    url = _page(membership, "accounts:members")

    def in_words(invitation: Invitation) -> Need:
        at = f"{invitation.expires_at:%H:%M} UTC"
        text = f"It ends at {at}. Invite again if it is still wanted."
        title = f"{invitation.email} has not accepted the invitation"
        return Need(title, text, url, "See members")

    return _first(
        Invitation.objects.for_organization(membership.organization)
        .open(now)
        .filter(expires_at__lte=now + INVITATION_ENDS_SOON)
        .order_by("expires_at", "pk"),
        in_words,
        rest="More invitations end soon",
        url=url,
    )
