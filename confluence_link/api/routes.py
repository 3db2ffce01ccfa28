"""The operations: linked sites that are shared, and access tokens for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import HttpRequest
from ninja import Body, Query, Router

from accounts.isolation import acting_for
from accounts.models import ServiceKey
from confluence_link import handoff
from confluence_link.api.keys import check_scope
from confluence_link.api.problems import Problem
from confluence_link.api.schemas import (
    ProblemOut,
    SiteOut,
    SitesAsked,
    SitesOut,
    TokenAsked,
    TokenOut,
    check_query,
    site_out,
)
from confluence_link.errors import (
    NotInUse,
    ReauthorizationRequired,
    TokenUnavailable,
    VaultError,
)
from confluence_link.models import LinkedSite

if TYPE_CHECKING:
    from confluence_link.handoff import Handoff

router = Router()

_EVERYWHERE: Final = {
    400: ProblemOut,
    401: ProblemOut,
    403: ProblemOut,
    429: ProblemOut,
}
_OF_ONE: Final = {**_EVERYWHERE, 404: ProblemOut}
_OF_TOKENS: Final = {**_OF_ONE, 409: ProblemOut, 413: ProblemOut, 503: ProblemOut}
# What an empty body asks for.
_ANY_LIFE: Final = TokenAsked(min_seconds=60)


class KeyRequest(HttpRequest):
    """As `keys.KeyAuth` leaves it."""

    auth: ServiceKey


@router.get(
    "/linked-sites",
    response={200: SitesOut, **_EVERYWHERE},
    operation_id="list_linked_sites",
)
def list_linked_sites(request: KeyRequest, asked: Query[SitesAsked]) -> SitesOut:
    """The linked sites that are shared with the key's organization."""
    key = request.auth
    check_scope(key, "sites:read")
    check_query(request, SitesAsked)
    with acting_for(organization_id=key.organization_id):
        rows = LinkedSite.objects.for_services(key.organization)
        after = rows.filter(public_id__gt=asked.cursor).order_by("public_id")
        found = list(after[: asked.limit + 1])
    shown = found[: asked.limit]
    return SitesOut(
        items=[site_out(site) for site in shown],
        next_cursor=shown[-1].public_id if len(found) > asked.limit else "",
    )


@router.get(
    "/linked-sites/{slug:site_id}",
    response={200: SiteOut, **_OF_ONE},
    operation_id="get_linked_site",
)
def linked_site(request: KeyRequest, site_id: str) -> SiteOut:
    """One of them."""
    check_scope(request.auth, "sites:read")
    check_query(request)
    return site_out(_site(request.auth, site_id))


@router.post(
    "/linked-sites/{slug:site_id}/token",
    response={200: TokenOut, **_OF_TOKENS},
    operation_id="get_token",
)
def token(
    request: KeyRequest, site_id: str, asked: Body[TokenAsked] = _ANY_LIFE
) -> TokenOut:
    """An access token that lives for `min_seconds` more, if one can be had.

    It is refused if it would reach sites that the organization does not use.
    """
    check_scope(request.auth, "sites:token")
    check_query(request)
    handed = _hand_off(_site(request.auth, site_id), asked.min_seconds)
    return TokenOut(
        access_token=handed.access_token.value,
        expires_at=handed.access_token.expires_at,
        api_base_url=handed.api_base_url,
        scopes=list(handed.scopes),
    )


def _site(key: ServiceKey, site_id: str) -> LinkedSite:
    """Raises Problem: not_found, alike for foreign ones, those not shared, and none."""
    with acting_for(organization_id=key.organization_id):
        sites = LinkedSite.objects.for_services(key.organization)
        site = sites.filter(public_id=site_id).first()
    if site is None:
        raise Problem("not_found")
    return site


def _hand_off(site: LinkedSite, min_seconds: int) -> Handoff:
    """Raises Problem with the code of what stands in the way."""
    try:
        return handoff.for_service(linked_site=site, min_seconds=min_seconds)
    except ReauthorizationRequired:
        raise Problem("reconnect_needed") from None
    except NotInUse as error:
        raise Problem(_CODES[error.reason]) from None
    except TokenUnavailable as error:
        wait = error.retry_after_seconds
        raise Problem("unavailable", retry_after_seconds=wait) from None
    except VaultError:
        raise Problem("vault_unavailable") from None


# By `NotInUse.reason`.
_CODES: Final[dict[str, str]] = {
    "person": "paused",
    "organization": "paused",
    "paused": "paused",
    "lost": "lost",
    "unlinked": "not_found",
    "not_shared": "not_found",
    "shared_grant": "shared_grant",
}
