"""Token sets of the sandbox, and token endpoints elsewhere."""

from __future__ import annotations

import json

import pytest

from tests import grants
from tests.confluence_link.http.servers import Server, answering, body
from tests.confluence_link.token_endpoint.exchanges import (
    CLOUD,
    DATA_CENTER,
    GOOD,
    VERIFIER,
    exchange_code,
    make_cloud,
)


@pytest.fixture
def cloud_token_set(sandbox, cloud_app):
    code = grants.code_of(sandbox.cloud, cloud_app, VERIFIER, **CLOUD)
    return exchange_code(cloud_app, code)


@pytest.fixture
def data_center_token_set(sandbox, data_center_app):
    code = grants.code_of(sandbox.data_center, data_center_app, VERIFIER, **DATA_CENTER)
    return exchange_code(data_center_app, code)


@pytest.fixture
def recorder(settings):
    """A token endpoint that answers well and remembers what it was sent."""
    good = body(json.dumps(GOOD).encode(), "Content-Type: application/json")
    with Server(answering(good)) as server:
        settings.CONFLUENCE_CLOUD_TOKEN_URL = server.url(path="/oauth/token")
        yield server


@pytest.fixture
def cloud_at(db, settings):
    """The Cloud app with its token endpoint somewhere else."""

    def at(url):
        settings.CONFLUENCE_CLOUD_TOKEN_URL = url
        return make_cloud()

    return at
