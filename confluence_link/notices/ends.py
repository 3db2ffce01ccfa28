"""Letters about the end of a grant: that it has come, and that it comes soon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from accounts.mails import one_line
from accounts.rights import Right
from confluence_link import forecast
from confluence_link.models import Grant, LinkedSite, database_now
from confluence_link.notices.letter import Letter, members, names, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from accounts.models import Organization
    from confluence_link.forecast import End
    from confluence_link.models import Event

# From then on those who may ask the account's person hear of its end, too.
ADMINS_DAYS_AHEAD: Final = 7


def reconnect_needed(event: Event) -> Iterator[Letter]:
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
        url = url_of("confluence_link:linked_sites", organization.slug)
        found = {**words, "url": url, "organization": one_line(organization.name)}
        # Once, however many organizations use the account.
        if number == 0 and grant.user.is_active:
            yield Letter(grant.user, "reconnect_needed", found)
        shared = names(site for site in linked if site.shared)
        if shared:
            admins = members(organization, Right.SEND_LINK_INVITATIONS)
            for admin in admins.exclude(pk=grant.user_id):
                yield Letter(admin, "reconnect_needed_here", {**found, "sites": shared})


def ends_soon(event: Event) -> Iterator[Letter]:
    """Not if it was reconnected, is refreshed again, or has ended meanwhile."""
    grant, now = event.grant, database_now()
    if grant is None or grant.status != Grant.Status.ACTIVE:
        return
    end = forecast.end_of(grant, now)
    if end is None or not end.is_soon(now) or grant.epoch != event.facts.get("epoch"):
        return
    with_admins = event.facts.get("days", 0) <= ADMINS_DAYS_AHEAD
    words = _words(grant, end, now)
    for number, (organization, linked) in enumerate(_used_by(grant).items()):
        found = {**words, "organization": one_line(organization.name)}
        # Once, however many organizations use the account.
        if number == 0 and grant.user.is_active:
            url = _reconnect_url(linked[0])
            yield Letter(grant.user, "ends_soon", {**found, "url": url})
        shared = names(site for site in linked if site.shared)
        if shared and with_admins:
            found["url"] = url_of("confluence_link:linked_sites", organization.slug)
            admins = members(organization, Right.SEND_LINK_INVITATIONS)
            for admin in admins.exclude(pk=grant.user_id):
                yield Letter(admin, "ends_soon_here", {**found, "sites": shared})


def _words(grant: Grant, end: End, now: datetime) -> dict[str, str | int]:
    return {
        "account": one_line(grant.account_name),
        "app": one_line(grant.oauth_app.name),
        "owner": one_line(str(grant.user)),
        "ends_on": f"{end.at:%-d %B %Y}",
        "days": end.days_left(now),
        "limit": end.limit,
        "renewed_on": f"{grant.last_rotated_at:%-d %B %Y}",
    }


def _used_by(grant: Grant) -> dict[Organization, list[LinkedSite]]:
    here: dict[Organization, list[LinkedSite]] = {}
    sites = LinkedSite.objects.filter(grant=grant, organization__is_active=True)
    for site in sites.select_related("organization").order_by("pk"):
        here.setdefault(site.organization, []).append(site)
    return here


def _reconnect_url(site: LinkedSite) -> str:
    """The short page before leaving, for the site's linker."""
    start = url_of("confluence_login", site.grant.oauth_app.provider_id)
    query = {"organization": site.organization.slug, "reconnect": site.public_id}
    return f"{start}?{urlencode(query)}"
