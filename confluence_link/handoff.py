"""Hand-off: a live access token for a grant or a linked site, refreshed if need be.

Every caller that needs a token comes through here; nobody else opens one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from accounts.isolation import across_organizations
from confluence_link import atlassian, refresh, vault
from confluence_link.errors import (
    NotInUse,
    ReauthorizationRequired,
    TokenUnavailable,
)
from confluence_link.models import (
    Grant,
    LinkedSite,
    SealedTokenSet,
    database_now,
)
from confluence_link.tokens import AccessToken

MIN_SECONDS: Final = 60
# How long one caller waits for another's exchange.
WAIT_SECONDS: Final = 10
WAIT_STEP_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Handoff:
    """All that a caller needs to talk to one linked site."""

    access_token: AccessToken
    api_base_url: str
    scopes: tuple[str, ...]


def for_linked_site(
    *, linked_site: LinkedSite, min_seconds: int | None = None
) -> Handoff:
    """Raises what `fresh_token` raises, and NotInUse for what ended or rests.

    Asked of the rows as they are now, whatever the caller was given a while ago.
    """
    _check_in_use(linked_site)
    grant = linked_site.grant
    deployment = atlassian.deployment_for(grant.oauth_app)
    return Handoff(
        access_token=fresh_token(grant=grant, min_seconds=min_seconds),
        api_base_url=deployment.api_base_url(linked_site.site_id),
        # What was granted beyond them is not ours to use.
        scopes=tuple(s for s in linked_site.scopes if s in grant.oauth_app.scopes),
    )


def for_service(*, linked_site: LinkedSite, min_seconds: int | None = None) -> Handoff:
    """The same for a service of the linked site's organization: the token itself.

    A token reaches every site that its person ever allowed, so it is handed out only
    where all of them are in use. Raises also NotInUse: not_shared, shared_grant.
    """
    _check_reach(linked_site)
    return for_linked_site(linked_site=linked_site, min_seconds=min_seconds)


@across_organizations()
def _check_reach(linked_site: LinkedSite) -> None:
    here = LinkedSite.objects.filter(
        organization=linked_site.organization_id,
        grant=linked_site.grant_id,
        shared=True,
    )
    if not here.filter(pk=linked_site.pk).exists():
        raise NotInUse("not_shared")
    in_use = here.filter(status=LinkedSite.Status.LINKED)
    used = {linked_site.site_id, *in_use.values_list("site_id", flat=True)}
    reached = Grant.objects.values_list("sites", flat=True).get(pk=linked_site.grant_id)
    if not {site["site_id"] for site in reached} <= used:
        raise NotInUse("shared_grant")


@across_organizations()
def _check_in_use(linked_site: LinkedSite) -> None:
    found = LinkedSite.objects.filter(pk=linked_site.pk, grant=linked_site.grant_id)
    row = found.values_list("organization__is_active", "status").first()
    if row is None:
        raise NotInUse("unlinked")
    is_active, status = row
    if not is_active:
        raise NotInUse("organization")
    if status != LinkedSite.Status.LINKED:
        raise NotInUse(status)


@across_organizations()
def fresh_token(*, grant: Grant, min_seconds: int | None = None) -> AccessToken:
    """An access token that lives for `min_seconds` more, refreshed inline if need be.

    The default is a minute, or a quarter of the life of a token that lives for less
    than four. If it cannot be refreshed right now, a token that is still alive is given
    all the same. Raises ReauthorizationRequired, NotInUse (its person was deactivated,
    or all that use it), TokenUnavailable or VaultError. Must not run inside a
    transaction if a refresh is needed.
    """
    return _token(grant.pk, min_seconds=min_seconds, after_generation=0)


@across_organizations()
def token_after_refusal(*, grant: Grant, refused_generation: int) -> AccessToken | None:
    """A newer token than the one Confluence refused; None if there is none to be had.

    One refresh at most, and none within the minimum interval of the last: a fresh
    token that is refused does not get better by refreshing.
    """
    try:
        return _token(grant.pk, min_seconds=0, after_generation=refused_generation)
    except TokenUnavailable:
        return None


def _token(
    grant_id: int, *, min_seconds: int | None, after_generation: int
) -> AccessToken:
    token = _stored(grant_id, min_seconds, after_generation)
    if token is not None:
        return token
    outcome = refresh.refresh_now(grant_id=grant_id)
    if outcome is refresh.Outcome.NOT_DUE:
        return _wait(grant_id, min_seconds, after_generation)
    token = _stored(grant_id, min_seconds, after_generation)
    return token or _alive(grant_id, after_generation)


def _wait(grant_id: int, min_seconds: int | None, after_generation: int) -> AccessToken:
    """Waits while somebody else holds the lease, then takes what is there."""
    for _ in range(int(WAIT_SECONDS / WAIT_STEP_SECONDS)):
        token = _stored(grant_id, min_seconds, after_generation)
        if token is not None:
            return token
        leased = Grant.objects.filter(pk=grant_id, lease_until__gt=database_now())
        if not leased.exists():
            break
        time.sleep(WAIT_STEP_SECONDS)
    return _alive(grant_id, after_generation)


def _alive(grant_id: int, after_generation: int) -> AccessToken:
    """The stored token with whatever life it has left."""
    token = _stored(grant_id, 1, after_generation)
    if token is None:
        raise TokenUnavailable(_retry_after(grant_id))
    return token


def _retry_after(grant_id: int) -> int:
    """Seconds until the next try that the row plans, between 5 and 300."""
    refresh_at = Grant.objects.values_list("refresh_at", flat=True).get(pk=grant_id)
    seconds = (refresh_at - database_now()).total_seconds()
    return int(min(max(seconds, 5), 300))


def _stored(
    grant_id: int, min_seconds: int | None, after_generation: int
) -> AccessToken | None:
    """The stored token if it is newer and lives long enough.

    Raises ReauthorizationRequired for a dead or unlinked grant, NotInUse, VaultError.
    """
    sealed = (
        SealedTokenSet.objects.select_related("grant__oauth_app", "grant__user")
        .defer("refresh", "previous_refresh")
        .filter(grant_id=grant_id)
        .first()
    )
    grant = sealed.grant if sealed else None
    if sealed is None or grant is None:
        raise ReauthorizationRequired("unlinked")
    _check_usable(grant)
    now = database_now()
    # Before a refresh on demand, so that it plans the next one as of a used grant.
    refresh.mark_used(grant, now)
    if min_seconds is None:
        life = (grant.expires_at - grant.last_rotated_at).total_seconds()
        min_seconds = min(MIN_SECONDS, int(life / 4))
    fresh = grant.expires_at > now + timedelta(seconds=min_seconds)
    if not fresh or grant.generation <= after_generation:
        return None
    return AccessToken(
        value=vault.open_access(grant, sealed.access),
        expires_at=grant.expires_at,
        generation=grant.generation,
    )


def _check_usable(grant: Grant) -> None:
    if not grant.user.is_active:
        raise NotInUse("person")
    if grant.status == Grant.Status.PAUSED:
        raise NotInUse("organization")
    if grant.status != Grant.Status.ACTIVE:
        raise ReauthorizationRequired(grant.death_reason)
