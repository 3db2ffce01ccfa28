"""SiteCard: what people see of one linked site's health, prepared for templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from accounts.rights import Right
from confluence_link import atlassian
from confluence_link.models import Grant
from confluence_link.views.grant_life import GrantLife, grant_life
from confluence_link.views.outcomes.broken_answers import CONSENT_ENDED

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Membership, Organization
    from confluence_link.models import LinkedSite, OAuthApp


@dataclass(frozen=True, slots=True)
class SiteCard:
    """`site` is the row; everything else is words and addresses about it."""

    site: LinkedSite
    condition: str
    explanation: str
    # When it ended, or failed last.
    since: datetime | None
    since_words: str
    scopes_in_words: tuple[str, ...]
    raw_scopes: tuple[str, ...]
    life: GrantLife
    consent_page_url: str
    # Whether to reconnect is worth while now.
    offers_reconnect: bool
    # Only the account's owner can; for the others, who that is.
    reconnect_url: str
    reconnect_by: str
    is_own: bool
    may_ask_to_reconnect: bool
    # Of somebody's own site others see that it is there, and whose it is.
    may_open: bool
    may_share: bool
    may_unshare: bool
    may_unlink: bool


def site_card(site: LinkedSite, membership: Membership) -> SiteCard:
    grant = site.grant
    deployment = atlassian.deployment_for(grant.oauth_app)
    scopes = site.scopes or grant.scopes
    is_own = site.is_of(membership)
    life = grant_life(grant)
    reconnect_helps = _reconnect_helps(site) or life.ends_soon
    return SiteCard(
        site=site,
        condition=site.condition,
        explanation=_explanation(site) or _farewell(life),
        since=grant.last_error_at if site.condition in _SINCE else None,
        since_words=_SINCE.get(site.condition, ""),
        scopes_in_words=deployment.scopes_in_words(scopes),
        raw_scopes=tuple(scopes),
        life=life,
        consent_page_url=deployment.consent_page_url(site.url),
        offers_reconnect=reconnect_helps,
        reconnect_url=reconnect_url(site) if is_own else "",
        reconnect_by="" if is_own else str(grant.user),
        is_own=is_own,
        may_ask_to_reconnect=not is_own
        and reconnect_helps
        and membership.may(Right.SEND_LINK_INVITATIONS),
        may_open=site.is_usable_by(membership),
        may_share=not site.shared and site.may_be_shared_by(membership),
        may_unshare=site.shared and site.may_be_unshared_by(membership),
        may_unlink=site.may_be_unlinked_by(membership),
    )


def link_url(oauth_app: OAuthApp, organization: Organization, **more: str) -> str:
    """The short page before leaving, for one app and one organization."""
    start = reverse("confluence_login", args=[oauth_app.provider_id])
    return f"{start}?{urlencode({'organization': organization.slug, **more})}"


def reconnect_url(site: LinkedSite) -> str:
    app = site.grant.oauth_app
    return link_url(app, site.organization, reconnect=site.public_id)


_SINCE = {"trouble": "Last failure", "reconnect_needed": "Ended"}


def _reconnect_helps(site: LinkedSite) -> bool:
    """Trouble ends by itself, unless the other side says no to our token."""
    if site.condition == "trouble":
        return site.grant.refusals > 0
    return site.condition in {"reconnect_needed", "lost", "disconnected"}


def _farewell(life: GrantLife) -> str:
    """Of what works still, and ends soon."""
    if life.end is None or not life.ends_soon:
        return ""
    return (
        f"The access ends on {life.end.at:%-d %B %Y}. Reconnecting before begins it"
        " anew and keeps all settings."
    )


def _explanation(site: LinkedSite) -> str:
    health = getattr(site.grant.oauth_app, "health", None)
    if site.condition == "reconnect_needed":
        return CONSENT_ENDED.get(site.grant.death_reason, "The consent has ended.")
    if site.grant.status == Grant.Status.PAUSED:
        return (
            "The person who linked it is deactivated here, so nothing of their account"
            " is used or renewed. It goes on as soon as they are back."
        )
    if site.condition == "trouble" and site.grant.refusals:
        return (
            "The other side refused to renew the access. We make sure before we"
            " give up; reconnecting repairs it at once."
        )
    if site.condition == "trouble" and health and health.configuration_refused_since:
        return (
            "The other side refuses the settings of this service. Operators have been"
            " told; your link is kept."
        )
    return _EXPLANATIONS.get(site.condition, "")


_EXPLANATIONS = {
    "trouble": "Renewing the access fails at the moment. We keep trying; you need"
    " not do anything.",
    "lost": "The linked account no longer reaches this site. It comes back by itself"
    " once the account does, or when you reconnect and choose this site again.",
    "paused": "Its use is paused. The link itself is kept alive.",
    "disconnected": "Its tokens were erased. Link it again to use it.",
}
