"""A code becomes tokens, an account and sites; every refusal has a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from accounts.isolation import across_organizations
from confluence_link import atlassian, token_endpoint
from confluence_link.errors import (
    ApiError,
    LinkRefused,
    NotPermitted,
    RateLimited,
    ScopeMissing,
    TokenEndpointError,
    TransportError,
    VaultError,
)
from confluence_link.http import BlockedAddress, GuardedSession
from confluence_link.models import database_now
from confluence_link.refresh import breaker, client_secret
from confluence_link.refresh.exchange import Failure

if TYPE_CHECKING:
    from confluence_link.atlassian import Account, Site
    from confluence_link.http import Deadline
    from confluence_link.models import OAuthApp
    from confluence_link.tokens import TokenSet


@dataclass(frozen=True, slots=True)
class Consent:
    """What came of one authorization code."""

    token_set: TokenSet
    account: Account
    sites: tuple[Site, ...]


@across_organizations()
def fetch_consent(
    *, oauth_app: OAuthApp, code: str, code_verifier: str, deadline: Deadline
) -> Consent:
    """Exchanges the code, asks who it is and what the token reaches. No transaction.

    Raises LinkRefused with the reason that its page explains.
    """
    try:
        token_set = token_endpoint.exchange_code(
            endpoint=token_endpoint.endpoint_of(
                oauth_app,
                min_expires_in_seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS,
            ),
            code=code,
            code_verifier=code_verifier,
            deadline=deadline,
        )
        if token_set.by_next_secret:
            client_secret.promote_next(oauth_app)
        breaker.settings_accepted(oauth_app, now=database_now())
        _check_complete(oauth_app, token_set)
        account, reachable = _ask_who_and_where(oauth_app, token_set, deadline)
    except TokenEndpointError as error:
        raise LinkRefused(_reason_of_answer(oauth_app, error)) from None
    except BlockedAddress:
        raise LinkRefused("blocked_address") from None
    except TransportError:
        raise LinkRefused("provider_down") from None
    except VaultError:
        raise LinkRefused("configuration") from None
    except ApiError as error:
        raise LinkRefused(_reason_of_call(error)) from None
    return Consent(token_set, account, reachable)


def _check_complete(oauth_app: OAuthApp, token_set: TokenSet) -> None:
    if token_set.refresh_token is None:
        raise LinkRefused("no_refresh_token")
    missing = atlassian.deployment_for(oauth_app).missing_scopes(
        oauth_app.scopes, token_set.scopes
    )
    if missing:
        raise LinkRefused("missing_scopes", scopes=" ".join(missing))


def _ask_who_and_where(
    oauth_app: OAuthApp, token_set: TokenSet, deadline: Deadline
) -> tuple[Account, tuple[Site, ...]]:
    deployment = atlassian.deployment_for(oauth_app)
    with GuardedSession(deployment.network_policy) as session:
        account = deployment.identity(session, token_set.access_token, deadline)
        reachable = deployment.reachable_sites(
            session, token_set.access_token, deadline
        )
    if not reachable:
        raise LinkRefused("no_site")
    return account, reachable


def _reason_of_answer(oauth_app: OAuthApp, error: TokenEndpointError) -> str:
    if error.answer == "configuration":
        # The operators hear of it; the person cannot mend it.
        breaker.app_answered(
            oauth_app, Failure("configuration", error.error), now=database_now()
        )
    return {
        "refused": "code_refused",
        "configuration": "configuration",
        "busy": "provider_busy",
    }.get(error.answer, "provider_down")


def _reason_of_call(error: ApiError) -> str:
    match error:
        case ScopeMissing():
            return "missing_scopes"
        case NotPermitted():
            return "no_identity"
        case RateLimited():
            return "provider_busy"
    return "provider_down"
