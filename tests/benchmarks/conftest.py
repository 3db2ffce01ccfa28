from __future__ import annotations

import pytest
import requests

from benchmarks import tokens
from benchmarks.endpoint_process import endpoint_process


@pytest.fixture(scope="session")
def running_endpoint(tmp_path_factory):
    with endpoint_process(tmp_path_factory.mktemp("endpoint")) as running:
        yield running


@pytest.fixture
def endpoint(running_endpoint):
    """It remembers generations, so each test has grants of its own."""
    running_endpoint.set_latency(0)
    running_endpoint.reset()
    return running_endpoint


@pytest.fixture
def exchange(endpoint):
    """Sends a refresh token; the status and the answer."""

    def send(refresh_token):
        answer = requests.post(
            endpoint.token_url,
            json={"grant_type": "refresh_token", "refresh_token": refresh_token},
            verify=str(endpoint.ca_file),
            timeout=5,
        )
        return answer.status_code, answer.json()

    return send


@pytest.fixture
def first_token(request):
    return tokens.refresh_token(request.node.name.replace(".", "-"), 1)
