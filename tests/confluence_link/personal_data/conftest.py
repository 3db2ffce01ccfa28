"""Stored accounts, and a live consent that may report them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from confluence_link.models import Grant, database_now
from tests import grants

ALICE_ID = "5be24ad8b1653240376955d2"
BOB_ID = "712020:0c1f6a3e-3c2f-4e7c-9a55-6f1f5f0b0b02"


@pytest.fixture
def app(cloud_app):
    """The Cloud app, asking for the scope as well."""
    cloud_app.scopes = [*cloud_app.scopes, "report:personal-data"]
    cloud_app.save()
    return cloud_app


@pytest.fixture
def grant(sandbox, app, alice, organization):
    """Alice's, with Atlassian's test id of an active account; it may report."""
    return grants.link_cloud(sandbox, app, user=alice, organization=organization)


@pytest.fixture
def store(app, alice):
    """Adds an account without tokens."""

    def store(account_id, **fields):
        now = database_now()
        values = {
            "oauth_app": app,
            "user": alice,
            "account_name": f"Name of {account_id}",
            "expires_at": now + timedelta(hours=1),
            "refresh_at": now + timedelta(days=400),
            "consented_at": now - timedelta(days=1),
            "last_rotated_at": now,
        }
        return Grant.objects.create(account_id=account_id, **{**values, **fields})

    return store


@pytest.fixture
def reported(sandbox):
    """The account ids of all reports so far."""
    return lambda: [one["accountId"] for one in sandbox.cloud.reported]
