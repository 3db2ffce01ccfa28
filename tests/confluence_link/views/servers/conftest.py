"""A server of Alice's organization at the sandbox's Data Center."""

from __future__ import annotations

import pytest

from confluence_link import servers
from tests import server_steps


@pytest.fixture
def server(sandbox, alice, organization):
    return server_steps.add(organization, alice, sandbox.data_center.url)


@pytest.fixture
def ready_server(sandbox, server, alice):
    """Registered at the sandbox, with its credentials."""
    part = sandbox.data_center
    servers.enter_credentials(
        oauth_app=server,
        client_id=part.client.client_id,
        client_secret=part.client.secrets[0],
        actor=alice,
    )
    part.register_redirect_uri(server.redirect_uri)
    return server_steps.again(server)
