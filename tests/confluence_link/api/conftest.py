"""Keys of two organizations, and Northwind linked for the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import service_keys
from confluence_link.models import LinkedSite
from tests import grants

if TYPE_CHECKING:
    from accounts.models import Organization, User


def make_key(organization: Organization, user: User, *scopes: str, **more: Any) -> str:
    _, key = service_keys.make(
        organization=organization,
        name="Search",
        scopes=scopes or list(service_keys.SCOPES),
        expires_at=more.get("expires_at"),
        actor=user,
        now=timezone.now(),
    )
    return key


@pytest.fixture
def key(alice, organization):
    """Alice's key for her organization, with every scope."""
    return make_key(organization, alice)


@pytest.fixture
def other_key(bob, other_organization):
    return make_key(other_organization, bob)


@pytest.fixture
def call(db):
    """Calls the API with a key, and without a browser."""
    client = Client()

    def call(path: str, key: str = "", method: str = "get", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if method == "post":
            more = {"data": b"", "content_type": "application/json", **more}
        ask = getattr(client, method)
        return ask(f"/api/v1/{path}", headers=headers, **more)

    return call


@pytest.fixture
def site(sandbox, cloud_app, alice, organization):
    """Alice's Northwind, shared with her organization."""
    grant = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    return LinkedSite.objects.for_organization(organization).get(grant=grant)
