"""Client id and secret go in sealed; of two secrets the newer does not end the old."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from confluence_link import servers, vault
from confluence_link.models import (
    Event,
    OAuthApp,
    OAuthAppHealth,
    ServerSetup,
    database_now,
)
from tests import grants, server_steps
from tests.server_steps import CLIENT_ID, CLIENT_SECRET


def enter(server, actor, **changes):
    fields = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **changes}
    servers.enter_credentials(oauth_app=server, actor=actor, **fields)


def send(server, actor):
    setup, _ = servers.send_setup(
        oauth_app=server, email="erin@example.org", actor=actor
    )
    return setup


def complete(setup, **changes):
    fields = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **changes}
    servers.complete_setup(setup=setup, **fields)


def test_credentials_are_sealed_and_told_without_them(server, alice, organization):
    enter(server, alice)

    server = server_steps.again(server)
    assert server.client_id == CLIENT_ID
    assert vault.open_client_secret(server) == CLIENT_SECRET
    assert CLIENT_SECRET.encode() not in bytes(server.sealed_client_secret)
    event = servers.last_entered(server)
    assert (event.kind, event.actor) == (Event.Kind.SERVER_SET_UP, alice)
    assert event.facts == {"server": "Our wiki"}
    assert list(OAuthApp.objects.for_organization(organization)) == [server]


def test_a_refused_server_is_probed_again_after_new_credentials(server, alice):
    now = database_now()
    OAuthAppHealth.objects.create(
        oauth_app=server, paused_until=now, configuration_refused_since=now
    )

    enter(server, alice)

    assert OAuthAppHealth.objects.get().paused_until is None


def test_new_credentials_end_the_second_secret_and_open_forms(server, alice):
    enter(server, alice)
    servers.add_secret(oauth_app=server, client_secret="second-CNRY", actor=alice)
    setup = send(server, alice)

    enter(server, alice, client_secret="third-CNRY")

    server = server_steps.again(server)
    assert vault.open_client_secret(server) == "third-CNRY"
    assert vault.open_next_client_secret(server) == ""
    with pytest.raises(servers.SetupIsOver):
        complete(setup)


def test_a_second_secret_leaves_the_first_in_place(server, alice):
    enter(server, alice)

    servers.add_secret(oauth_app=server, client_secret="second-CNRY", actor=alice)

    server = server_steps.again(server)
    assert vault.open_client_secret(server) == CLIENT_SECRET
    assert vault.open_next_client_secret(server) == "second-CNRY"
    assert servers.last_entered(server).kind == Event.Kind.SECRET_ADDED


# What the server's administrator entered
# ------------------------------------------------------------------------------
def test_the_form_enters_credentials_and_tells_by_whom(server, alice):
    complete(send(server, alice))

    server = server_steps.again(server)
    assert vault.open_client_secret(server) == CLIENT_SECRET
    event = servers.last_entered(server)
    assert event.facts == {"server": "Our wiki", "who": "erin@example.org"}
    assert event.actor is None
    assert ServerSetup.objects.get().used_at is not None


def test_a_form_is_used_once(server, alice):
    setup = send(server, alice)
    complete(setup)

    with pytest.raises(servers.SetupIsOver):
        complete(setup, client_secret="other-CNRY")

    assert vault.open_client_secret(server_steps.again(server)) == CLIENT_SECRET


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_uses_the_form(server, alice):
    setup = send(server, alice)
    outcomes = []

    def run(secret):
        try:
            complete(setup, client_secret=secret)
            outcomes.append(secret)
        except servers.SetupIsOver:
            outcomes.append("over")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(f"{n}-CNRY",)) for n in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (stored,) = set(outcomes) - {"over"}
    assert "over" in outcomes
    assert vault.open_client_secret(server_steps.again(server)) == stored


def test_a_new_secret_of_the_same_client_breaks_no_link(
    sandbox, ready_server, alice, organization
):
    grants.link_data_center(
        sandbox, ready_server, user=alice, organization=organization
    )
    old = vault.open_client_secret(ready_server)

    complete(send(ready_server, alice), client_id=ready_server.client_id)

    server = server_steps.again(ready_server)
    assert vault.open_client_secret(server) == old
    assert vault.open_next_client_secret(server) == CLIENT_SECRET
    assert servers.last_entered(server).kind == Event.Kind.SECRET_ADDED


def test_another_client_takes_the_place_of_the_one_before(
    sandbox, ready_server, alice, organization
):
    grants.link_data_center(
        sandbox, ready_server, user=alice, organization=organization
    )

    complete(send(ready_server, alice))

    server = server_steps.again(ready_server)
    assert server.client_id == CLIENT_ID
    assert vault.open_client_secret(server) == CLIENT_SECRET
