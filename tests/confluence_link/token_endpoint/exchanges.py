"""Both exchanges in short, and answers that the sandbox is told to give."""

from __future__ import annotations

import json

import pytest

from confluence_link import token_endpoint
from confluence_link.errors import TokenEndpointError
from confluence_link.http import Deadline
from tests import factories

CLOUD = {"account": "alice", "site": "northwind", "decision": "accept"}
DATA_CENTER = {"username": "dora", "decision": "allow"}
VERIFIER = "v" * 64
GOOD = {"access_token": "CNRY-a", "refresh_token": "CNRY-r", "expires_in": 3600}


def endpoint_of(app, min_expires_in_seconds=60):
    return token_endpoint.endpoint_of(
        app, min_expires_in_seconds=min_expires_in_seconds
    )


def refresh(app, refresh_token="CNRY-old", seconds=5):
    return token_endpoint.refresh(
        endpoint=endpoint_of(app),
        refresh_token=refresh_token,
        deadline=Deadline(seconds),
    )


def exchange_code(app, code="CNRY-code"):
    return token_endpoint.exchange_code(
        endpoint=endpoint_of(app),
        code=code,
        code_verifier=VERIFIER,
        deadline=Deadline(5),
    )


def refusal(exchange, *args, **options):
    """The error that an exchange ends with; it never quotes the other side."""
    with pytest.raises(TokenEndpointError) as caught:
        exchange(*args, **options)
    assert "CNRY" not in str(caught.value)
    return caught.value


def answer_with(sandbox, text, status=200, **headers):
    """The sandbox's next token answer, which it gives without any exchange."""
    if not isinstance(text, str):
        text = json.dumps(text)
    sandbox.cloud.faults.add(
        "token", "custom", times=1, body=text, status=status, headers=headers
    )


def make_data_center(server, path="/confluence"):
    return factories.make_oauth_app(
        base_url=server.url(path=path).rstrip("/"),
        provider_id="wiki",
        client_id="ours",
        client_secret="CNRY-secret",
    )


def make_cloud():
    return factories.make_oauth_app(
        provider_id="cloud", client_id="ours", client_secret="CNRY-secret"
    )


def error(code, description="CNRY in words"):
    return {"error": code, "error_description": description}
