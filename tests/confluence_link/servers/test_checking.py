"""What a probe saw stands in the row, for the people who have the server."""

from __future__ import annotations

import pytest

from confluence_link import servers, vault
from confluence_link.models import OAuthApp
from tests import grants, server_steps


def steps_of(server):
    return server_steps.again(server).probe_steps


def test_a_good_server_is_known_by_version_and_id(sandbox, server):
    servers.check(oauth_app=server)

    server = server_steps.again(server)
    assert server.server_version == "9.2.4"
    assert server.server_id == sandbox.data_center.server_id
    assert server.probed_at is not None
    assert {step["cure"] for step in server.probe_steps} == {""}


def test_s15_what_is_kept_says_nothing_about_ports_and_settings(
    organization, alice, settings
):
    closed = server_steps.add(organization, alice, "http://127.0.0.1:1")
    servers.check(oauth_app=closed)
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []
    other = OAuthApp(pk=closed.pk, deployment="data_center", base_url=closed.base_url)

    assert steps_of(closed)[-1]["found"] == "none answers here"
    servers.check(oauth_app=other)
    (step,) = steps_of(closed)
    assert step["problem"] == "port"
    assert "CONFLUENCE_LINK" not in str(step)


def test_a_check_of_an_address_that_was_changed_meanwhile_is_not_kept(server):
    OAuthApp.objects.update(base_url="https://wiki.example.com")

    servers.check(oauth_app=server)

    assert steps_of(server) == []


def test_another_server_in_its_place_is_told_once_somebody_linked(
    sandbox, ready_server, alice, organization
):
    OAuthApp.objects.update(server_id="the-one-before")

    grants.link_data_center(
        sandbox, ready_server, user=alice, organization=organization
    )
    servers.check(oauth_app=server_steps.again(ready_server))

    assert "Another server than before" in steps_of(ready_server)[-1]["cure"]
    assert server_steps.again(ready_server).server_id == "the-one-before"


def test_another_server_is_welcome_while_nobody_linked(sandbox, server):
    OAuthApp.objects.update(server_id="the-one-before")

    servers.check(oauth_app=server_steps.again(server))

    assert server_steps.again(server).server_id == sandbox.data_center.server_id


def test_the_proxy_of_the_server_is_used(server, alice):
    OAuthApp.objects.update(proxy_url="http://127.0.0.1:1")

    servers.check(oauth_app=server_steps.again(server))

    assert steps_of(server)[-1]["name"] == "Proxy"


def test_settings_that_do_not_open_are_told(server):
    vault.seal_proxy_credentials(server, "user:pass-CNRY")
    server.proxy_url = "http://127.0.0.1:1"
    server.provider_id = "another"

    servers.check(oauth_app=server)

    (step,) = steps_of(server)
    assert "Enter it again" in step["cure"]


@pytest.mark.parametrize(
    ("fields", "condition"),
    [
        ({}, "draft"),
        ({"client_id": "c"}, "ready"),
        ({"client_id": "c", "probe_steps": [{"cure": "x"}]}, "trouble"),
        ({"client_id": "c", "enabled": False}, "off"),
    ],
)
def test_one_word_says_how_far_a_server_is(server, organization, fields, condition):
    OAuthApp.objects.update(**fields)

    assert servers.condition_of(servers.of_organization(organization).get()) == (
        condition
    )


def test_a_server_waits_for_its_administrator(server, organization, alice):
    servers.send_setup(oauth_app=server, email="erin@example.org", actor=alice)

    row = servers.of_organization(organization).get()
    assert servers.condition_of(row) == servers.Condition.WAITING
