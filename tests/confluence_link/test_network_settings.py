"""A server behind a proxy that asks for a certificate: linked, refreshed and used."""

from __future__ import annotations

import pytest

from confluence_link import linking, refresh
from confluence_link.client import ConfluenceClient
from confluence_link.errors import LinkRefused, VaultError
from confluence_link.models import Grant, OAuthAppHealth
from confluence_link.refresh import Outcome
from tests import grants
from tests.confluence_link.http.proxies import tunnelling
from tests.confluence_link.http.servers import Server

COLUMNS = ["sealed_proxy_credentials", "sealed_client_certificate"]


@pytest.fixture
def proxy(sandbox):
    """Leads to the sandbox's Data Center."""
    port = int(sandbox.data_center.url.partition("://")[2].partition("/")[0][-5:])
    lead = tunnelling(port)

    def handle(peer):
        if server.refuses:
            peer.read_request()
            peer.send(b"HTTP/1.1 503 No\r\n\r\n")
        else:
            lead(peer)

    with Server(handle) as server:
        server.refuses = False
        yield server


@pytest.fixture
def app(data_center_app, proxy):
    data_center_app.proxy_url = proxy.url(path="")
    data_center_app.save()
    return data_center_app


@pytest.fixture
def grant(app, sandbox, alice, organization):
    return grants.link_data_center(sandbox, app, user=alice, organization=organization)


def damage(app, column):
    setattr(app, column, b"not sealed")
    app.save()


def test_linking_refreshing_and_reading_go_through_the_proxy(proxy, grant):
    linked = proxy.connections
    grants.make_due(grant)
    assert refresh.refresh_batch([grant.pk]) == [Outcome.REFRESHED]
    refreshed = proxy.connections
    client = ConfluenceClient.for_linked_site(grant.linked_sites.get())
    assert client.current_user().name

    assert 0 < linked < refreshed < proxy.connections
    assert all(request.startswith(b"CONNECT ") for request in proxy.requests)


def test_a_proxy_that_refuses_leaves_no_exchange_in_doubt(proxy, grant):
    """Nothing was sent, so the tokens are as they were."""
    proxy.refuses = True
    grants.make_due(grant)

    assert refresh.refresh_batch([grant.pk]) == [Outcome.NOT_SENT]

    row = Grant.objects.get()
    assert (row.last_error, row.uncertain_since) == ("proxy", None)
    assert OAuthAppHealth.objects.get().last_error == "proxy"


@pytest.mark.parametrize("column", COLUMNS)
def test_a_setting_that_does_not_open_makes_a_refresh_undecryptable(grant, column):
    damage(grant.oauth_app, column)
    grants.make_due(grant)

    assert refresh.refresh_batch([grant.pk]) == [Outcome.UNDECRYPTABLE]
    row = Grant.objects.get()
    assert (row.status, row.last_error) == (Grant.Status.ACTIVE, "damaged")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_setting_that_does_not_open_is_a_matter_of_configuration(
    app, sandbox, column
):
    damage(app, column)

    with pytest.raises(LinkRefused, match="configuration"):
        grants.consent_of(sandbox.data_center, app, username="dora", decision="allow")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_setting_that_does_not_open_is_told_by_the_first_call(grant, column):
    damage(grant.oauth_app, column)
    client = ConfluenceClient.for_linked_site(grant.linked_sites.get())

    with client, pytest.raises(VaultError, match="damaged"):
        client.current_user()
    with pytest.raises(VaultError, match="damaged"):
        linking.list_sites_again(grant=grant)
