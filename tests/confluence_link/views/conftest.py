"""Linked sites that work: real tokens of the sandbox behind each of them."""

from __future__ import annotations

import pytest
from allauth.socialaccount.models import SocialAccount

from confluence_link.models import Grant, LinkedSite, PendingLink
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


@pytest.fixture
def come_back_from_cloud(alice_client, back):
    """Finishes the attempt that Alice consented to."""
    return lambda: link_steps.come_back(alice_client, back)


@pytest.fixture
def back_from_wiki(alice_client, data_center_app, organization, sandbox):
    """Where her browser is sent after she consented at the company wiki."""
    started = link_steps.start(alice_client, "wiki", organization=organization)
    return link_steps.consent_to_data_center(sandbox, started)


@pytest.fixture
def nothing_is_linked_after(db):
    """Checks at the end of the test that a refused consent left no row behind."""
    yield
    assert not Grant.objects.exists()
    assert not LinkedSite.objects.exists()
    assert not PendingLink.objects.exists()
    assert not SocialAccount.objects.exists()
