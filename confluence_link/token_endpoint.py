"""The two exchanges with a token endpoint, and the class of every answer.

Reference: RFC 6749 sections 4.1.3, 5.1, 5.2 and 6; RFC 7636 section 4.5; what
Atlassian does differently is told where it matters. Nothing here touches the
database, so an exchange may run in any thread.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from confluence_link import atlassian, vault
from confluence_link.atlassian import remote_values
from confluence_link.errors import TokenEndpointError, TransportError, VaultError
from confluence_link.http import GuardedSession, Post
from confluence_link.tokens import TokenSet

if TYPE_CHECKING:
    from confluence_link.http import Answer, Deadline, NetworkPolicy
    from confluence_link.models import OAuthApp

MAX_ANSWER_BYTES: Final = 64 * 1024
# The characters of RFC 6750 section 2.1; longer ones have not been seen anywhere.
_ACCESS_TOKEN: Final = re.compile(r"\A[A-Za-z0-9._~+/=-]{1,16384}\Z")
# It travels in bodies alone, where RFC 6749 allows more; a blank is still a mistake.
_REFRESH_TOKEN: Final = re.compile(r"\A[\x21-\x7e]{1,16384}\Z")
_USUAL_SCOPES: Final = 4096
DEFAULT_EXPIRES_IN_SECONDS: Final = 3600
MAX_EXPIRES_IN_SECONDS: Final = 24 * 3600

_BUSY: Final = frozenset({408, 425, 429})
_GONE: Final = frozenset({404, 405, 410})
# Our client is refused before anything else of the request was looked at.
_ABOUT_OUR_CLIENT: Final = frozenset(
    {"invalid_client", "access_denied", "unauthorized_client"}
)
# Our app is refused, not this grant. `access_denied` with 401 is Atlassian's word
# for a wrong client secret.
_CONFIGURATION: Final = frozenset(
    {
        *_ABOUT_OUR_CLIENT,
        "invalid_request",
        "invalid_scope",
        "unsupported_grant_type",
    }
)


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """All that an exchange needs to know of one OAuth app."""

    url: str
    body: Literal["json", "form"]
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    sends_redirect_uri_on_refresh: bool
    min_expires_in_seconds: int
    network_policy: NetworkPolicy = field(repr=False)
    # While the secret is being changed: the one to come.
    next_client_secret: str = field(default="", repr=False)
    # The operator's own settings name it, so that exchanges may share connections.
    is_the_operators: bool = False

    def __reduce__(self) -> str:
        raise TypeError("a client secret cannot be pickled")


def endpoint_of(oauth_app: OAuthApp, *, min_expires_in_seconds: int) -> TokenEndpoint:
    """Raises VaultError if the client secret or a network setting does not open."""
    deployment = atlassian.deployment_for(oauth_app)
    return TokenEndpoint(
        url=deployment.token_url,
        body=deployment.token_body,
        client_id=oauth_app.client_id,
        client_secret=vault.open_client_secret(oauth_app),
        redirect_uri=oauth_app.redirect_uri,
        sends_redirect_uri_on_refresh=deployment.refresh_sends_redirect_uri,
        min_expires_in_seconds=min_expires_in_seconds,
        network_policy=deployment.network_policy,
        next_client_secret=_next_client_secret(oauth_app),
        is_the_operators=deployment.token_url_is_the_operators,
    )


def _next_client_secret(oauth_app: OAuthApp) -> str:
    try:
        return vault.open_next_client_secret(oauth_app)
    except VaultError:
        # It must not stop what the current one can do.
        return ""


def exchange_code(
    *, endpoint: TokenEndpoint, code: str, code_verifier: str, deadline: Deadline
) -> TokenSet:
    """RFC 6749 section 4.1.3 with the verifier of RFC 7636.

    Raises TokenEndpointError (`refused`: the code is unusable) or TransportError.
    A code is never sent twice.
    """
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": endpoint.redirect_uri,
        "code_verifier": code_verifier,
    }
    token_set = _exchange(endpoint, fields, deadline)
    if not token_set.access_token:
        raise TokenEndpointError("uncertain", error="malformed", status=200)
    return token_set


def refresh(
    *, endpoint: TokenEndpoint, refresh_token: str, deadline: Deadline
) -> TokenSet:
    """RFC 6749 section 6; the scopes are those of the consent, so none are sent.

    Raises TokenEndpointError or TransportError. Confluence Data Center answers
    `invalid_grant` where the redirect URI is left out.
    """
    return _exchange(endpoint, _refresh_fields(endpoint, refresh_token), deadline)


def _refresh_fields(endpoint: TokenEndpoint, refresh_token: str) -> dict[str, str]:
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    if endpoint.sends_redirect_uri_on_refresh:
        fields["redirect_uri"] = endpoint.redirect_uri
    return fields


def refresh_post(
    *, endpoint: TokenEndpoint, refresh_token: str, deadline: Deadline
) -> Post:
    """The same request for the multiplexed client; its answer is for `read_refresh`."""
    fields = _refresh_fields(endpoint, refresh_token) | {
        "client_id": endpoint.client_id,
        "client_secret": endpoint.client_secret,
    }
    return Post(
        url=endpoint.url,
        body=json.dumps(fields).encode(),
        content_type="application/json",
        deadline=deadline,
        max_bytes=MAX_ANSWER_BYTES,
    )


def read_refresh(endpoint: TokenEndpoint, answer: Answer) -> TokenSet:
    """Raises TokenEndpointError."""
    return _token_set(answer, "refresh_token", endpoint.min_expires_in_seconds)


def _exchange(
    endpoint: TokenEndpoint, fields: dict[str, str], deadline: Deadline
) -> TokenSet:
    """Asks once more, by the next secret, if the current one is refused.

    What is refused for its client has used up neither code nor refresh token.
    """
    try:
        return _ask(endpoint, endpoint.client_secret, fields, deadline)
    except TokenEndpointError as error:
        if not endpoint.next_client_secret or not _is_about_our_client(error):
            raise
        refusal = error
    try:
        token_set = _ask(endpoint, endpoint.next_client_secret, fields, deadline)
    except TokenEndpointError as error:
        # Past the client, the answer is about the grant.
        if not _is_about_our_client(error):
            raise
    else:
        return replace(token_set, by_next_secret=True)
    raise refusal


def _is_about_our_client(error: TokenEndpointError) -> bool:
    return error.answer == "configuration" and error.error in _ABOUT_OUR_CLIENT


def _ask(
    endpoint: TokenEndpoint, secret: str, fields: dict[str, str], deadline: Deadline
) -> TokenSet:
    fields = {**fields, "client_id": endpoint.client_id, "client_secret": secret}
    # A connection of its own: a kept-alive one may be dead, and then nobody knows
    # whether the exchange happened.
    with GuardedSession(endpoint.network_policy) as session:
        answer = session.send(
            "POST",
            endpoint.url,
            deadline=deadline,
            max_bytes=MAX_ANSWER_BYTES,
            headers={"Accept": "application/json"},
            json=fields if endpoint.body == "json" else None,
            form=fields if endpoint.body == "form" else None,
        )
    return _token_set(answer, fields["grant_type"], endpoint.min_expires_in_seconds)


def _token_set(answer: Answer, grant_type: str, min_seconds: int) -> TokenSet:
    body = _json_object(answer)
    if answer.status != 200 or body.get("error"):
        raise _refusal(answer, body, grant_type)
    refresh_token = _token(body.get("refresh_token"), _REFRESH_TOKEN)
    access_token = _token(body.get("access_token"), _ACCESS_TOKEN)
    seconds = _expires_in(body.get("expires_in"))
    bearer = str(body.get("token_type", "bearer")).lower() == "bearer"
    if access_token is None or seconds is None or not bearer:
        # A usable refresh token is never thrown away with the rest of an answer:
        # the one that it replaces may be dead already.
        if refresh_token is None:
            raise TokenEndpointError("uncertain", error="malformed", status=200)
        access_token, seconds = "", min_seconds
    return TokenSet(
        access_token=access_token,
        refresh_token=refresh_token,
        expires_in_seconds=min(max(seconds, min_seconds), MAX_EXPIRES_IN_SECONDS),
        scopes=_scopes(body.get("scope")),
    )


def _json_object(answer: Answer) -> dict[str, object]:
    """The body as an object; empty if it is none, because that is no OAuth answer."""
    try:
        body = answer.json()
    except TransportError:
        return {}
    return body if isinstance(body, dict) else {}


def _token(value: object, allowed: re.Pattern[str]) -> str | None:
    return value if isinstance(value, str) and allowed.match(value) else None


def _expires_in(value: object) -> int | None:
    """Seconds, not clamped yet; None if it is there and not a whole number."""
    if value is None:
        return DEFAULT_EXPIRES_IN_SECONDS
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _scopes(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, str) or not value.strip():
        return None
    return _scopes_of(value) if len(value) <= _USUAL_SCOPES else _sorted_scopes(value)


def _sorted_scopes(text: str) -> tuple[str, ...] | None:
    # A database refuses some characters, and a refusal would cost the whole answer.
    return tuple(sorted(remote_values.scopes(text.split()))) or None


# Nearly every answer of an app names the same.
_scopes_of = lru_cache(maxsize=64)(_sorted_scopes)


def _refusal(
    answer: Answer, body: dict[str, object], grant_type: str
) -> TokenEndpointError:
    """The class of an answer without tokens, after the table of design 6."""
    status = answer.status
    if status in _BUSY:
        return TokenEndpointError(
            "busy",
            error="rate_limited",
            status=status,
            retry_after_seconds=answer.retry_after_seconds or 60,
        )
    if 300 <= status < 400:
        return TokenEndpointError("configuration", error="redirected", status=status)
    if status in _GONE:
        return TokenEndpointError("configuration", error="no_endpoint", status=status)
    if status >= 500 or (200 <= status < 300 and not body.get("error")):
        return TokenEndpointError(
            "uncertain",
            error="unreadable",
            status=status,
            retry_after_seconds=answer.retry_after_seconds,
        )
    return _oauth_error(status, body, grant_type)


def _oauth_error(
    status: int, body: dict[str, object], grant_type: str
) -> TokenEndpointError:
    code = body.get("error")
    if not isinstance(code, str):
        code = ""
    if code == "invalid_grant" or _is_refused(code, body, grant_type):
        return TokenEndpointError("refused", error=code, status=status)
    if code in _CONFIGURATION:
        return TokenEndpointError("configuration", error=code, status=status)
    return TokenEndpointError("blocked", error="no_oauth_answer", status=status)


def _is_refused(code: str, body: dict[str, object], grant_type: str) -> bool:
    """Whether what we sent is dead, in the words that Atlassian has for it.

    It says `unauthorized_client` of a dead refresh token and `invalid_request` of a
    bad code, where the RFC has `invalid_grant` for both.
    """
    if grant_type == "authorization_code" and code == "invalid_request":
        # Anyone can come back with a code of their own making: that is no reason to
        # doubt our configuration.
        return True
    description = re.sub(r"[_-]", " ", str(body.get("error_description", "")).lower())
    # In the RFC's sense the code is about what our client may do at all.
    is_about_it = grant_type.replace("_", " ") in description
    is_about_us = "grant type" in description
    return code == "unauthorized_client" and is_about_it and not is_about_us
