"""The plain page of a link that did not come about."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.shortcuts import render
from django.urls import reverse

from confluence_link import atlassian
from confluence_link.views.outcomes.link_refusals import OUTCOMES, UNKNOWN_REASON

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Organization
    from confluence_link.errors import LinkRefused
    from confluence_link.models import OAuthApp
    from confluence_link.views.outcomes.outcome import Outcome


def refusal_page(
    request: HttpRequest,
    *,
    refused: LinkRefused,
    organization: Organization | None = None,
    oauth_app: OAuthApp | None = None,
    reconnect: str = "",
    status: int = 400,
) -> HttpResponse:
    """Says why, and what to do next; `oauth_app` makes “Try again” direct.

    `reconnect` is the public id of the linked site that the attempt was for.
    Of the facts only missing scopes are shown: the others are for the log.
    """
    outcome = OUTCOMES.get(refused.reason, UNKNOWN_REASON)
    context = {
        "outcome": outcome,
        "organization": organization,
        "sites_url": _sites_url(organization),
        "retry_url": _retry_url(outcome, organization, oauth_app, reconnect),
        "missing": _missing_scopes(refused, oauth_app),
    }
    return render(request, "confluence_link/link_refused.html", context, status=status)


def _sites_url(organization: Organization | None) -> str:
    if organization is None:
        return reverse("home")
    return reverse("confluence_link:linked_sites", args=[organization.slug])


def _retry_url(
    outcome: Outcome,
    organization: Organization | None,
    oauth_app: OAuthApp | None,
    reconnect: str,
) -> str:
    if outcome.button != "try_again" or not (organization and oauth_app):
        return ""
    query = {"organization": organization.slug}
    if reconnect:
        query["reconnect"] = reconnect
    start = reverse("confluence_login", args=[oauth_app.provider_id])
    return f"{start}?{urlencode(query)}"


def _missing_scopes(
    refused: LinkRefused, oauth_app: OAuthApp | None
) -> tuple[str, ...]:
    scopes = refused.facts.get("scopes", "").split()
    if not scopes or oauth_app is None:
        return tuple(scopes)
    return atlassian.deployment_for(oauth_app).scopes_in_words(scopes)
