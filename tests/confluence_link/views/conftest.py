"""Linked sites that work: real tokens of the sandbox behind each of them."""

from __future__ import annotations

import pytest

from confluence_link.models import LinkedSite
from tests import grants, link_steps


@pytest.fixture
def cloud_site(sandbox, cloud_app, alice, organization):
    """Alice's Northwind, linked for her organization."""
    grant = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    return LinkedSite.objects.for_organization(organization).get(grant=grant)


@pytest.fixture
def data_center_site(sandbox, data_center_app, alice, organization):
    """Alice's account on the company wiki, linked for her organization."""
    grant = grants.link_data_center(
        sandbox, data_center_app, user=alice, organization=organization
    )
    return LinkedSite.objects.for_organization(organization).get(grant=grant)


@pytest.fixture
def started(alice_client, cloud_app, organization):
    """Alice has pressed the button of the page before leaving."""
    return link_steps.start(alice_client, "cloud", organization=organization)


@pytest.fixture
def back(sandbox, started):
    """… and consented; this is where her browser is sent."""
    return link_steps.consent_to_cloud(sandbox, started)


@pytest.fixture
def linked_site(alice_client, cloud_app, organization, sandbox):
    """Alice's Northwind, linked in her browser for her organization."""
    return link_steps.linked(alice_client, sandbox, organization=organization)
