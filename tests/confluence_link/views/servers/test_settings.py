"""Settings, credentials and the end of a server, by the organization's admins."""

from __future__ import annotations

import html

import pytest
import trustme

from confluence_link import vault
from confluence_link.models import Event, Grant, OAuthApp
from confluence_link.views.servers import frame
from tests import factories, grants, server_steps
from tests.server_steps import CLIENT_ID, CLIENT_SECRET, address


@pytest.fixture
def linked(sandbox, ready_server, alice, organization):
    return grants.link_data_center(
        sandbox, ready_server, user=alice, organization=organization
    )


@pytest.fixture(scope="module")
def client_pem():
    leaf = trustme.CA().issue_cert("client.example")
    parts = [leaf.private_key_pem.bytes(), *(c.bytes() for c in leaf.cert_chain_pems)]
    return b"".join(parts).decode()


# A proxy is for TLS alone, unless the operator says otherwise.
HTTPS = "https://127.0.0.1:8443"


def entered(server, **changes):
    return {
        "name": server.name,
        "permission": " ".join(server.scopes),
        "base_url": server.base_url,
        "ca_bundle": server.ca_bundle,
        "proxy_url": server.proxy_url,
        **changes,
    }


def save(client, server, **changes):
    url = address(server, "server_settings")
    return client.post(url, entered(server_steps.again(server), **changes))


def errors(answer):
    return answer.context["form"].errors


def text_of(answer):
    return html.unescape(answer.content.decode())


def test_settings_are_saved_and_the_server_is_checked_with_them(
    alice_client, server, organization
):
    OAuthApp.objects.update(base_url=HTTPS)
    proxy = {
        "proxy_url": "http://127.0.0.1:1",
        "proxy_user": "robot",
        "proxy_password": "pass-CNRY",
    }
    answer = save(alice_client, server, name="Renamed", permission="READ", **proxy)

    server = server_steps.again(server)
    assert answer.url == address(server)
    assert (server.name, server.scopes) == ("Renamed", ["READ"])
    assert vault.open_proxy_credentials(server) == "robot:pass-CNRY"
    assert server.probe_steps[-1]["name"] == "Proxy"
    event = Event.objects.get(kind=Event.Kind.SERVER_CHANGED)
    assert event.facts["changed"] == [
        "name",
        "scopes",
        "proxy_url",
        "proxy_credentials",
    ]
    assert "CNRY" not in str(event.facts)


def test_a_password_stays_until_another_is_entered_or_the_proxy_goes(
    alice_client, server
):
    OAuthApp.objects.update(base_url=HTTPS)
    user = {"proxy_user": "robot", "proxy_password": "pass-CNRY"}
    save(alice_client, server, proxy_url="http://127.0.0.1:1", **user)

    save(alice_client, server, name="Renamed")
    assert server_steps.again(server).sealed_proxy_credentials

    save(alice_client, server, proxy_url="")
    assert not server_steps.again(server).sealed_proxy_credentials


def test_a_client_certificate_is_sealed_shown_by_its_end_and_removed(
    alice_client, server, client_pem
):
    save(alice_client, server, client_certificate=client_pem)

    stored = server_steps.again(server)
    page = text_of(alice_client.get(address(server, "server_settings")))
    assert vault.open_client_certificate(stored) is not None
    assert "A client certificate is stored" in page
    assert "PRIVATE KEY" not in page

    save(alice_client, server, remove_client_certificate="on")
    assert not server_steps.again(server).sealed_client_certificate


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"base_url": "https://10.0.0.1"}, "base_url", "not on the public internet"),
        ({"ca_bundle": "hello"}, "ca_bundle", "PEM"),
        ({"client_certificate": "hello"}, "client_certificate", ""),
        ({"proxy_url": "http://10.0.0.1:3128"}, "proxy_url", "operator"),
        ({"proxy_url": "socks5://p.example.com"}, "proxy_url", "http://"),
        ({"proxy_url": "http://a:b@p.example.com"}, "proxy_url", "fields below"),
        ({"proxy_url": "http://p.example.com/x"}, "proxy_url", "nothing after"),
        ({"proxy_user": "robot"}, "proxy_password", "both"),
        ({"proxy_user": "a:b", "proxy_password": "c"}, "proxy_user", "colon"),
        ({"proxy_user": "a", "proxy_password": "c"}, "proxy_url", "the proxy"),
        ({"permission": "SYSTEM_ADMIN"}, "permission", ""),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    alice_client, server, settings, changes, field, words
):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []

    answer = save(alice_client, server, **changes)

    assert words in str(errors(answer)[field])
    assert not Event.objects.filter(kind=Event.Kind.SERVER_CHANGED).exists()


def test_no_secret_comes_back_beside_another_fields_error(
    alice_client, server, client_pem
):
    answer = save(
        alice_client,
        server,
        name="",
        client_certificate=client_pem,
        ca_bundle=client_pem,
        proxy_url="http://127.0.0.1:1",
        proxy_user="robot-CNRY",
        proxy_password="pass-CNRY",
    )

    assert "name" in errors(answer)
    assert "private key" in str(errors(answer)["ca_bundle"])
    text = text_of(answer)
    assert "CNRY" not in text
    assert "PRIVATE KEY" not in text


def test_what_the_operator_permits_is_not_editable(alice_client, server):
    save(alice_client, server, allowed_private_hosts='["10.0.0.0/8"]', enabled="")

    server = server_steps.again(server)
    assert server.allowed_private_hosts == []
    assert server.enabled


def test_scopes_of_the_operator_stay(alice_client, server):
    OAuthApp.objects.update(scopes=["ADMIN"])

    save(alice_client, server, name="Renamed")

    server = server_steps.again(server)
    assert (server.name, server.scopes) == ("Renamed", ["ADMIN"])


def test_the_address_is_fixed_once_somebody_linked(alice_client, ready_server, linked):
    page = text_of(alice_client.get(address(ready_server, "server_settings")))
    before = ready_server.base_url

    save(alice_client, ready_server, base_url="https://evil.example.com", name="New")

    server = server_steps.again(ready_server)
    assert "Fixed, because people have linked" in page
    assert (server.base_url, server.name) == (before, "New")


def test_a_proxy_that_could_read_along_is_for_the_operator(alice_client, ready_server):
    answer = save(alice_client, ready_server, proxy_url="http://127.0.0.1:1")

    assert "the operator of this service may" in str(errors(answer)["proxy_url"])
    assert server_steps.again(ready_server).proxy_url == ""


def test_s15_another_address_counts_as_another_server(alice_client, server):
    for number in range(frame.ADDED_PER_HOUR):
        save(alice_client, server, base_url=f"http://127.0.0.1:1/{number}")

    answer = save(alice_client, server, base_url="http://127.0.0.1:1/more")

    assert "too often" in str(errors(answer)["base_url"])


# Credentials
# ------------------------------------------------------------------------------
def test_credentials_are_entered_and_never_shown(alice_client, server, alice):
    url = address(server, "server_credentials")
    secret = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

    answer = alice_client.post(url, secret, follow=True)

    assert vault.open_client_secret(server_steps.again(server)) == CLIENT_SECRET
    for page in (answer, alice_client.get(url)):
        assert "CNRY" not in text_of(page)
    assert f"Entered by {alice}" in text_of(answer)


@pytest.mark.parametrize(
    "changes",
    [{"client_id": ""}, {"client_secret": ""}, {"client_secret": "bl CNRY ank"}],
)
def test_neither_comes_back_beside_an_error(alice_client, server, changes):
    secret = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **changes}

    answer = alice_client.post(address(server, "server_credentials"), secret)

    assert answer.status_code == 200
    assert errors(answer)
    assert "CNRY" not in text_of(answer)
    assert server_steps.again(server).client_id == ""


def test_nothing_is_stored_while_nothing_can_be_sealed(alice_client, server, settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = []
    secret = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

    answer = alice_client.post(address(server, "server_credentials"), secret)

    assert "Tell the operator" in text_of(answer)
    assert server_steps.again(server).client_id == ""


def test_a_second_secret_is_entered(alice_client, ready_server):
    url = address(ready_server, "second_secret")

    answer = alice_client.post(url, {"client_secret": "second-CNRY"}, follow=True)

    server = server_steps.again(ready_server)
    assert vault.open_next_client_secret(server) == "second-CNRY"
    assert "There is a second secret" in text_of(answer)
    assert "CNRY" not in text_of(answer)
    assert Event.objects.filter(kind=Event.Kind.SECRET_ADDED).exists()


def test_there_is_no_second_secret_without_a_first(alice_client, server):
    assert alice_client.get(address(server, "second_secret")).status_code == 404


# Removing
# ------------------------------------------------------------------------------
def test_removing_says_whose_links_end(alice_client, ready_server, linked, alice):
    page = text_of(alice_client.get(address(ready_server, "remove_server")))

    assert f"Dora Dahl, linked by {alice}" in page
    assert "end 1 link" in page


def test_a_server_is_removed(alice_client, ready_server, linked, organization):
    url = address(ready_server, "remove_server")

    answer = alice_client.post(url, follow=True)

    assert "is removed" in text_of(answer)
    assert not OAuthApp.objects.exists()
    assert not Grant.objects.exists()
    assert alice_client.post(url).status_code == 404


def test_a_server_without_links_is_removed(alice_client, server):
    page = text_of(alice_client.get(address(server, "remove_server")))
    alice_client.post(address(server, "remove_server"))

    assert "Nobody is linked" in page
    assert not OAuthApp.objects.exists()


def test_the_operators_apps_for_everyone_are_not_the_organizations(
    alice_client, organization
):
    app = factories.make_oauth_app(base_url="https://wiki.example.com")
    app.organization = organization

    assert alice_client.get(address(app)).status_code == 404
    assert alice_client.post(address(app, "remove_server")).status_code == 404
