"""Confluence Cloud: one authorization server and one gateway for all sites.

Reference: https://developer.atlassian.com/cloud/confluence/oauth-2-3lo-apps/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings

from confluence_link.atlassian import remote_values
from confluence_link.atlassian.answers import read, read_object, untrusted
from confluence_link.atlassian.base import Deployment
from confluence_link.atlassian.call import Call
from confluence_link.atlassian.scopes import cloud_in_words
from confluence_link.atlassian.values import Account, Site
from confluence_link.errors import LinkRefused, NotFound, NotPermitted, ScopeMissing
from confluence_link.http import NetworkPolicy

if TYPE_CHECKING:
    from confluence_link.http import Deadline, GuardedSession

MAX_SITES = 500
# Sites that are asked who the person is where `/me` is not allowed to tell.
SITES_ASKED = 3
_SITES_BYTES = 2 * 1024 * 1024
_PROFILE_BYTES = 256 * 1024
_CLOUD_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Reference: https://developer.atlassian.com/platform/forge/user-privacy-guidelines/
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9:-]{1,128}")
# The refresh token shows the first; without the second, a site tells who it is; the
# third is between us and Atlassian, and one person's consent serves for all.
_NEVER_MISSING = {"offline_access", "read:me", "report:personal-data"}
_GOVERNMENT = ".atlassian-us-gov-mod.com"


class Cloud(Deployment):
    token_body = "json"  # noqa: S105 - the name of an encoding
    refresh_sends_redirect_uri = False
    token_url_is_the_operators = True
    leeway_seconds = 600
    # No longer in Atlassian's documents, and never announced as gone.
    absolute_days = 365

    @property
    def network_policy(self) -> NetworkPolicy:
        """The operator's own settings are trusted, wherever they point."""
        urls = (self.authorize_url, self.token_url, self.api_url)
        return NetworkPolicy(
            allow_http=any(url.lower().startswith("http:") for url in urls),
            allowed=tuple(dict.fromkeys(map(_host_and_port, urls))),
            ca_bundle=self.oauth_app.ca_bundle,
        )

    @property
    def authorize_url(self) -> str:
        return str(settings.CONFLUENCE_CLOUD_AUTHORIZE_URL)

    @property
    def token_url(self) -> str:
        return str(settings.CONFLUENCE_CLOUD_TOKEN_URL)

    @property
    def api_url(self) -> str:
        return str(settings.CONFLUENCE_CLOUD_API_URL).rstrip("/")

    def authorize_params(self) -> dict[str, str]:
        host = urlsplit(self.api_url).hostname or ""
        own = host if host.endswith(_GOVERNMENT) else "api.atlassian.com"
        return {"audience": own, "prompt": "consent"}

    def missing_scopes(
        self, asked: Sequence[str], granted: Sequence[str] | None
    ) -> tuple[str, ...]:
        if granted is None:
            return ()
        needed = [scope for scope in asked if scope not in _NEVER_MISSING]
        return tuple(scope for scope in needed if scope not in granted)

    def scopes_in_words(self, scopes: Sequence[str]) -> tuple[str, ...]:
        return cloud_in_words(scopes)

    def consent_page_url(self, site_url: str) -> str:
        return "https://id.atlassian.com/manage-profile/apps"

    def api_base_url(self, site_id: str) -> str:
        if not _CLOUD_ID.fullmatch(site_id):
            raise ValueError("not a cloud id")
        return f"{self.api_url}/ex/confluence/{site_id}"

    def identity(
        self, session: GuardedSession, access_token: str, deadline: Deadline
    ) -> Account:
        call = Call(session, self.api_url, access_token, deadline)
        try:
            answer = call.get("/me", max_bytes=_PROFILE_BYTES)
        except (NotPermitted, ScopeMissing) as refusal:
            if refusal.status == 401 and isinstance(refusal, NotPermitted):
                raise
            # The app or the consent lacks the User identity API; a site knows too.
            return self._identity_at_a_site(call)
        profile = read_object(answer)
        name = profile.get("name") or profile.get("nickname")
        return _account(profile.get("account_id"), name)

    def _identity_at_a_site(self, call: Call) -> Account:
        sites = self.reachable_sites(call.session, call.access_token, call.deadline)
        for site in sites[:SITES_ASKED]:
            base_url = self.api_base_url(site.site_id)
            at_site = Call(call.session, base_url, call.access_token, call.deadline)
            try:
                return current_user(at_site)
            except (NotPermitted, NotFound):
                continue
        raise LinkRefused("no_identity")

    def reachable_sites(
        self, session: GuardedSession, access_token: str, deadline: Deadline
    ) -> tuple[Site, ...]:
        call = Call(session, self.api_url, access_token, deadline)
        answer = call.get("/oauth/token/accessible-resources", max_bytes=_SITES_BYTES)
        entries = read(answer)
        if not isinstance(entries, list):
            raise untrusted(answer)
        merged: dict[str, Site] = {}
        for site in self._confluence_sites(entries):
            _merge(merged, site)
        in_order = sorted(merged.values(), key=lambda s: (s.name.casefold(), s.site_id))
        return tuple(in_order[:MAX_SITES])

    def _confluence_sites(self, entries: list[object]) -> Iterator[Site]:
        for entry in map(remote_values.mapping, entries):
            granted = remote_values.scopes(entry.get("scopes"))
            site_id = remote_values.identifier(entry.get("id"), _CLOUD_ID)
            if site_id and any("confluence" in scope for scope in granted):
                url = remote_values.web_url(entry.get("url"), like=self.api_url)
                icon = self._icon_url(entry.get("avatarUrl"))
                name = remote_values.name(entry.get("name"))
                yield Site(site_id, name or url or site_id, url, icon, granted)

    def _icon_url(self, value: object) -> str:
        """An icon that the content security policy of our pages lets browsers load."""
        url = remote_values.web_url(value, like=self.api_url)
        parts, api = urlsplit(url), urlsplit(self.api_url)
        if (parts.scheme, parts.netloc) == (api.scheme, api.netloc):
            return url
        domains = tuple(f".{domain}" for domain in settings.CONFLUENCE_ICON_DOMAINS)
        is_atlassians = parts.scheme == "https" and parts.netloc.endswith(domains)
        return url if is_atlassians else ""


def _merge(merged: dict[str, Site], site: Site) -> None:
    """The same site stands in the list once per product container."""
    key = site.site_id.lower()
    known = merged.get(key)
    merged[key] = site if known is None else _united(known, site)


def _united(first: Site, second: Site) -> Site:
    return Site(
        site_id=first.site_id,
        name=first.name,
        url=first.url or second.url,
        icon_url=first.icon_url or second.icon_url,
        scopes=tuple(dict.fromkeys((*first.scopes, *second.scopes))),
    )


def current_user(call: Call) -> Account:
    """API v1, which the gateway still serves for this."""
    user = read_object(call.get("/wiki/rest/api/user/current"))
    if user.get("type") == "anonymous":
        raise LinkRefused("anonymous")
    return _account(
        user.get("accountId"), user.get("displayName") or user.get("publicName")
    )


def _account(account_id: object, name: object) -> Account:
    known = remote_values.identifier(account_id, _ACCOUNT_ID)
    if not known:
        raise LinkRefused("no_identity")
    return Account(known, remote_values.name(name))


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
