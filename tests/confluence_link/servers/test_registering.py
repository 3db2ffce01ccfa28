"""Servers of an organization: added, changed, removed; and of two, none knows."""

from __future__ import annotations

import re

import pytest
import trustme
from allauth.socialaccount.models import SocialAccount

from confluence_link import servers, vault
from confluence_link.http import BlockedAddress
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    OAuthApp,
    OAuthAppHealth,
    SealedTokenSet,
    ServerSetup,
    database_now,
)
from tests import grants, server_steps

URL = "https://wiki.example.com/confluence"


def kinds():
    return list(Event.objects.values_list("kind", flat=True).order_by("pk"))


def settings_of(server, **changes):
    fields = {
        "name": server.name,
        "scopes": server.scopes,
        "base_url": server.base_url,
        "ca_bundle": server.ca_bundle,
        "proxy_url": server.proxy_url,
    }
    return servers.Settings(**{**fields, **changes})


# A proxy is for TLS alone, unless the operator says otherwise.
HTTPS = "https://127.0.0.1:8443"
PROXY = "http://proxy.example.com:3128"


@pytest.fixture
def https_server(server):
    OAuthApp.objects.update(base_url=HTTPS)
    return server_steps.again(server)


def change(server, actor, **changes):
    return servers.change(
        oauth_app=server, settings=settings_of(server, **changes), actor=actor
    )


def test_a_server_is_the_organizations_own_and_named_by_chance(organization, alice):
    server = server_steps.add(organization, alice, f"{URL}/")

    assert (server.organization, server.base_url) == (organization, URL)
    assert server.deployment == OAuthApp.Deployment.DATA_CENTER
    assert re.fullmatch(r"dc-[a-z0-9]{10}", server.provider_id)
    assert server.enabled
    event = Event.objects.get()
    assert (event.kind, event.organization, event.actor, event.oauth_app) == (
        Event.Kind.SERVER_ADDED,
        organization,
        alice,
        server,
    )
    assert event.facts == {"server": "Our wiki"}


def test_nobody_links_through_a_draft(organization, alice):
    server_steps.add(organization, alice, URL)

    assert not OAuthApp.objects.for_organization(organization).exists()


def test_a_form_that_was_sent_twice_makes_one_server(organization, alice):
    first = server_steps.add(organization, alice, URL)

    assert server_steps.add(organization, alice, URL) == first
    assert kinds() == [Event.Kind.SERVER_ADDED]


def test_t12_two_organizations_have_the_same_server_each_for_itself(
    organization, alice, other_organization, bob
):
    ours = server_steps.add(organization, alice, URL)
    theirs = server_steps.add(other_organization, bob, URL, name="Other name")
    for server, actor, secret in ((ours, alice, "a-CNRY"), (theirs, bob, "b-CNRY")):
        servers.enter_credentials(
            oauth_app=server, client_id=secret, client_secret=secret, actor=actor
        )

    ours, theirs = server_steps.again(ours), server_steps.again(theirs)
    assert ours.provider_id != theirs.provider_id
    assert ours.redirect_uri != theirs.redirect_uri
    assert vault.open_client_secret(ours) == "a-CNRY"
    assert vault.open_client_secret(theirs) == "b-CNRY"
    seen = OAuthApp.objects.for_organization
    assert list(seen(organization)) == [ours]
    assert list(seen(other_organization)) == [theirs]


def test_t12_one_of_them_is_removed_and_the_other_stays(
    organization, alice, other_organization, bob
):
    ours = server_steps.add(organization, alice, URL)
    theirs = server_steps.add(other_organization, bob, URL)

    servers.remove(oauth_app=ours, actor=alice)

    assert list(OAuthApp.objects.all()) == [theirs]


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("https://10.0.0.1", "address"),
        ("https://wiki.internal", "address"),
        ("https://wiki.example.com:6379", "port"),
        ("https://good@evil.example", "userinfo"),
    ],
)
def test_an_address_that_is_not_permitted_makes_no_row(
    organization, alice, settings, url, detail
):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []

    with pytest.raises(BlockedAddress) as refused:
        server_steps.add(organization, alice, url)

    assert refused.value.detail == detail
    assert not OAuthApp.objects.exists()


# Changing
# ------------------------------------------------------------------------------
def test_the_event_of_a_change_names_fields_and_no_values(https_server, alice):
    changed = change(
        https_server,
        alice,
        name="New name",
        proxy_url="http://proxy.example.com:3128",
        proxy_credentials="user:pass-CNRY",
    )

    assert changed == ["name", "proxy_url", "proxy_credentials"]
    event = Event.objects.get(kind=Event.Kind.SERVER_CHANGED)
    assert event.facts == {"server": "New name", "changed": changed}
    https_server = server_steps.again(https_server)
    assert vault.open_proxy_credentials(https_server) == "user:pass-CNRY"


def test_nothing_changed_is_no_event(server, alice):
    assert change(server, alice) == []
    assert kinds() == [Event.Kind.SERVER_ADDED]


def test_another_proxy_does_not_get_the_password_of_the_one_before(https_server, alice):
    change(
        https_server,
        alice,
        proxy_url="http://proxy.example.com:3128",
        proxy_credentials="user:pass-CNRY",
    )

    changed = change(
        server_steps.again(https_server),
        alice,
        proxy_url="http://evil.example.com:3128",
    )

    assert changed == ["proxy_url", "proxy_credentials"]
    assert not server_steps.again(https_server).sealed_proxy_credentials


def test_another_address_does_not_get_the_secret_of_the_one_before(ready_server, alice):
    servers.check(oauth_app=ready_server)
    servers.send_setup(oauth_app=ready_server, email="erin@example.org", actor=alice)

    changed = change(server_steps.again(ready_server), alice, base_url=URL)

    server = server_steps.again(ready_server)
    assert changed == ["base_url"]
    assert (server.base_url, server.client_id) == (URL, "")
    assert not server.sealed_client_secret
    assert (server.server_id, server.server_version) == ("", "")
    assert (server.probe_steps, server.probed_at) == ([], None)
    assert ServerSetup.objects.get().revoked_at is not None


def test_the_address_is_fixed_once_somebody_linked(
    sandbox, ready_server, alice, organization
):
    grants.link_data_center(
        sandbox, ready_server, user=alice, organization=organization
    )

    with pytest.raises(servers.AddressIsFixed):
        change(ready_server, alice, base_url=URL)

    assert server_steps.again(ready_server).base_url == sandbox.data_center.url


def test_a_private_address_takes_what_the_operator_permits_this_server(
    server, alice, settings
):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []
    with pytest.raises(BlockedAddress):
        change(server, alice, base_url="https://wiki.internal")
    OAuthApp.objects.update(allowed_private_hosts=["wiki.internal"])

    changed = change(
        server_steps.again(server), alice, base_url="https://wiki.internal"
    )

    assert changed == ["base_url"]


def test_a_change_of_the_way_there_is_tried_at_once(https_server, alice):
    OAuthAppHealth.objects.create(oauth_app=https_server, paused_until=database_now())

    change(https_server, alice, name="Another")
    assert OAuthAppHealth.objects.get().paused_until is not None

    change(
        server_steps.again(https_server), alice, proxy_url="http://proxy.example.com:80"
    )
    assert OAuthAppHealth.objects.get().paused_until is None


@pytest.fixture(scope="module")
def ca_pem():
    return trustme.CA().cert_pem.bytes().decode()


def test_a_proxy_alone_sees_no_secret_and_takes_none_away(
    organization, alice, ready_server
):
    OAuthApp.objects.update(base_url=HTTPS)

    change(server_steps.again(ready_server), alice, proxy_url=PROXY)

    assert server_steps.again(ready_server).client_id


@pytest.mark.parametrize("first", ["proxy_url", "ca_bundle"])
def test_a_way_on_which_somebody_could_read_along_is_the_operators(
    alice, ready_server, ca_pem, first
):
    OAuthApp.objects.update(base_url=HTTPS)
    wanted = {"proxy_url": PROXY, "ca_bundle": ca_pem}
    change(server_steps.again(ready_server), alice, **{first: wanted.pop(first)})

    with pytest.raises(servers.WayIsTheOperators):
        change(server_steps.again(ready_server), alice, **wanted)

    server = server_steps.again(ready_server)
    assert not (server.proxy_url and server.ca_bundle)
    assert server.client_id


def test_plain_http_through_a_proxy_is_the_operators(alice, ready_server):
    with pytest.raises(servers.WayIsTheOperators):
        change(ready_server, alice, proxy_url=PROXY)


def test_what_the_operator_set_stays_when_the_name_changes(alice, ready_server, ca_pem):
    OAuthApp.objects.update(base_url=HTTPS, proxy_url=PROXY, ca_bundle=ca_pem)

    assert change(server_steps.again(ready_server), alice, name="Renamed") == ["name"]


def test_the_public_authorities_are_always_welcome(
    sandbox, ready_server, alice, organization, ca_pem
):
    grants.link_data_center(
        sandbox, ready_server, user=alice, organization=organization
    )
    OAuthApp.objects.update(base_url=HTTPS, proxy_url=PROXY, ca_bundle=ca_pem)

    assert change(server_steps.again(ready_server), alice, ca_bundle="") == [
        "ca_bundle"
    ]


# Removing
# ------------------------------------------------------------------------------
def test_removing_ends_every_link_and_leaves_no_token(
    sandbox, ready_server, alice, organization
):
    grants.link_data_center(
        sandbox, ready_server, user=alice, organization=organization
    )

    servers.remove(oauth_app=ready_server, actor=alice)

    for model in (OAuthApp, Grant, LinkedSite, SealedTokenSet, SocialAccount):
        assert not model.objects.exists()
    event = Event.objects.get(kind=Event.Kind.SERVER_REMOVED)
    assert event.facts == {"server": "Our wiki"}
    assert (event.organization, event.actor) == (organization, alice)
    assert Event.Kind.UNLINKED in kinds()


def test_a_removed_server_leaves_other_links_alone(
    sandbox, ready_server, cloud_app, alice, organization
):
    kept = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)

    servers.remove(oauth_app=ready_server, actor=alice)

    assert grants.again(kept).status == Grant.Status.ACTIVE
