"""What is asked and answered. A field that is not named here is refused."""

from __future__ import annotations

# pydantic reads the annotations, so what they name is there when it runs.
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from confluence_link.api.problems import Problem

if TYPE_CHECKING:
    from django.http import HttpRequest

    from confluence_link.models import LinkedSite


class SitesAsked(Schema):
    model_config = ConfigDict(extra="forbid")

    cursor: str = Field("", pattern="^[A-Za-z0-9_-]{0,20}$")
    limit: int = Field(50, ge=1, le=100)


class TokenAsked(Schema):
    model_config = ConfigDict(extra="forbid")

    min_seconds: int = Field(60, ge=0, le=3600, strict=True)


class SiteOut(Schema):
    """A linked site that is shared with the key's organization."""

    id: str
    name: str
    label: str
    url: str
    icon_url: str
    deployment: Literal["cloud", "data_center"]
    status: Literal[
        "connected", "trouble", "reconnect_needed", "lost", "paused", "disconnected"
    ]
    scopes: list[str]
    linked_at: datetime


class SitesOut(Schema):
    items: list[SiteOut]
    # The cursor of the next page; empty: there is none.
    next_cursor: str


class TokenOut(Schema):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # RFC 6750's word
    expires_at: datetime
    api_base_url: str
    scopes: list[str]


class ProblemOut(Schema):
    status: int
    code: str
    title: str


def check_query(request: HttpRequest, asked: type[Schema] | None = None) -> None:
    """Raises Problem: bad_request, for a parameter that nobody reads.

    ninja leaves such ones out unseen.
    """
    known = asked.model_fields if asked else {}
    if set(request.GET) - set(known):
        raise Problem("bad_request")


def site_out(site: LinkedSite) -> SiteOut:
    app = site.grant.oauth_app
    facts = {
        "id": site.public_id,
        "name": site.name,
        "label": site.label,
        "url": site.url,
        "icon_url": site.icon_url,
        "deployment": app.deployment,
        "status": site.condition,
        "scopes": [scope for scope in site.scopes if scope in app.scopes],
        "linked_at": site.created_at,
    }
    return SiteOut.model_validate(facts)
