"""Confluence Data Center: each server is its own authorization server.

Reference: https://developer.atlassian.com/server/confluence/confluence-oauth2-provider-api
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings

from confluence_link import vault
from confluence_link.atlassian import remote_values
from confluence_link.atlassian.answers import read_object
from confluence_link.atlassian.base import Deployment
from confluence_link.atlassian.call import Call
from confluence_link.atlassian.scopes import DATA_CENTER, data_center_in_words
from confluence_link.atlassian.values import Account, Site
from confluence_link.errors import LinkRefused
from confluence_link.http import NetworkPolicy, Proxy

if TYPE_CHECKING:
    from confluence_link.http import Deadline, GuardedSession

_USER_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_RANKS = list(DATA_CENTER)


class DataCenter(Deployment):
    # A JSON body makes the token endpoint fail with 500.
    token_body = "form"  # noqa: S105 - the name of an encoding
    refresh_sends_redirect_uri = True
    token_url_is_the_operators = False
    # Both old tokens end with the exchange.
    leeway_seconds = 0
    absolute_days = None

    @property
    def base_url(self) -> str:
        """With the context path, as the operator gave it."""
        return self.oauth_app.base_url.rstrip("/")

    @property
    def network_policy(self) -> NetworkPolicy:
        """What the operator allows everybody, and this server's own settings."""
        app = self.oauth_app
        allowed = settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS
        return NetworkPolicy(
            allow_http=settings.CONFLUENCE_LINK_ALLOW_HTTP,
            allowed=(*allowed, *map(str, app.allowed_private_hosts)),
            ca_bundle=app.ca_bundle,
            client_certificate=vault.open_client_certificate(app),
            proxy=self._proxy(),
        )

    def _proxy(self) -> Proxy | None:
        app = self.oauth_app
        if not app.proxy_url:
            return None
        return Proxy(app.proxy_url, vault.open_proxy_credentials(app))

    @property
    def authorize_url(self) -> str:
        return f"{self.base_url}/rest/oauth2/latest/authorize"

    @property
    def token_url(self) -> str:
        return f"{self.base_url}/rest/oauth2/latest/token"

    def authorize_params(self) -> dict[str, str]:
        return {}

    def missing_scopes(
        self, asked: Sequence[str], granted: Sequence[str] | None
    ) -> tuple[str, ...]:
        """A higher scope contains the lower ones."""
        if granted is None:
            return ()
        highest = max(map(_rank, granted), default=-1)
        return tuple(
            scope
            for scope in asked
            if scope not in granted and not -1 < _rank(scope) <= highest
        )

    def scopes_in_words(self, scopes: Sequence[str]) -> tuple[str, ...]:
        return data_center_in_words(scopes)

    def consent_page_url(self, site_url: str) -> str:
        """'Authorized applications' of the person's profile."""
        return f"{self.base_url}/users/revokeoauthtokens.action"

    def api_base_url(self, site_id: str) -> str:
        # The row of the app decides where a token goes, whatever a site is called.
        return self.base_url

    def identity(
        self, session: GuardedSession, access_token: str, deadline: Deadline
    ) -> Account:
        """A server that lets anyone read answers 200 to a token it does not know."""
        user = current_user(Call(session, self.base_url, access_token, deadline))
        if user is None:
            raise LinkRefused("anonymous")
        if not user.account_id:
            raise LinkRefused("no_identity")
        return user

    def reachable_sites(
        self, session: GuardedSession, access_token: str, deadline: Deadline
    ) -> tuple[Site, ...]:
        """The server itself; nobody has to be asked."""
        app = self.oauth_app
        site = Site(self.base_url, app.name, self.base_url, "", tuple(app.scopes))
        return (site,)


def _rank(scope: str) -> int:
    return _RANKS.index(scope) if scope in _RANKS else -1


def current_user(call: Call) -> Account | None:
    """None: the server does not know the token. The id is empty if it tells none."""
    user = read_object(call.get("/rest/api/user/current"))
    if user.get("type") != "known":
        return None
    # Not the user name: it may change, and be given to somebody else.
    # Releases and resources differ in its spelling.
    told = user.get("userKey") or user.get("userkey")
    user_key = remote_values.identifier(told, _USER_KEY)
    return Account(user_key, remote_values.name(user.get("displayName")))
