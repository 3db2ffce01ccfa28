"""Pending links without the other side, for what depends on rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluence_link import linking
from confluence_link.atlassian import Account, Site
from confluence_link.linking import Consent
from confluence_link.tokens import TokenSet

if TYPE_CHECKING:
    from confluence_link.models import PendingLink

SESSION_KEY = "the-session-of-the-browser"


def site(name: str = "Northwind") -> Site:
    slug = name.lower()
    return Site(slug, name, f"https://{slug}.test", "", ("read:page:confluence",))


def consent(
    *,
    account_id: str = "an-account",
    sites: tuple[Site, ...] = (site(),),
    scopes: tuple[str, ...] | None = ("read:me",),
    expires_in_seconds: int = 3600,
) -> Consent:
    tokens = TokenSet("CNRY-access", "CNRY-refresh", expires_in_seconds, scopes)
    return Consent(tokens, Account(account_id, "Somebody"), sites)


def make_pending(**fields: Any) -> PendingLink:
    fields.setdefault("consent", consent())
    fields.setdefault("session_key", SESSION_KEY)
    return linking.pend(**fields)
