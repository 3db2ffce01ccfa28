"""Servers with odd answers, and the two deployments pointed at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from confluence_link import atlassian
from confluence_link.atlassian import Call, Deployment
from confluence_link.http import Deadline, GuardedSession
from confluence_link.models import OAuthApp
from tests.confluence_link.atlassian.wire import Wire
from tests.confluence_link.http.conftest import (  # noqa: F401  # fixtures
    authority,
    serve,
)

TOKEN = "an-access-token"


@pytest.fixture
def wire():
    with Wire() as wire:
        yield wire


@dataclass
class OtherSide:
    """A deployment, and a session that may reach it."""

    deployment: Deployment
    session: GuardedSession

    def identity(self, token: str = TOKEN) -> Any:
        return self.deployment.identity(self.session, token, Deadline(5))

    def reachable_sites(self, token: str = TOKEN) -> Any:
        return self.deployment.reachable_sites(self.session, token, Deadline(5))

    def call(self, site_id: str, token: str = TOKEN) -> Call:
        base = self.deployment.api_base_url(site_id)
        return Call(self.session, base, token, Deadline(5))


def other_side(oauth_app: OAuthApp) -> OtherSide:
    deployment = atlassian.deployment_for(oauth_app)
    return OtherSide(deployment, GuardedSession(deployment.network_policy))


@pytest.fixture
def cloud(wire, settings):
    """Cloud, as the operator's settings name it."""
    settings.CONFLUENCE_CLOUD_AUTHORIZE_URL = f"{wire.url}/authorize"
    settings.CONFLUENCE_CLOUD_TOKEN_URL = f"{wire.url}/oauth/token"
    settings.CONFLUENCE_CLOUD_API_URL = wire.url
    side = other_side(OAuthApp(deployment="cloud", name="Confluence Cloud"))
    with side.session:
        yield side


@pytest.fixture
def data_center(wire):
    app = OAuthApp(
        deployment="data_center",
        name="Company wiki",
        base_url=f"{wire.url}/confluence",
        scopes=["WRITE"],
    )
    side = other_side(app)
    with side.session:
        yield side
