"""The single-use form: its token is in the mail alone, and worth nothing for long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.mailed_links import digest
from accounts.models import Membership, Organization
from confluence_link import servers
from confluence_link.models import Event, ServerSetup, database_now


def send(server, actor, email="erin@example.org"):
    return servers.send_setup(oauth_app=server, email=email, actor=actor)


def find(token):
    return servers.find_setup(token_hash=digest(token))


@pytest.fixture
def token(server, alice):
    return send(server, alice)[1]


def test_the_row_has_a_hash_of_the_token_only(server, alice, organization):
    setup, token = send(server, alice)

    assert find(token) == setup
    assert len(token) >= 43
    assert token not in str(ServerSetup.objects.values().get())
    assert setup.expires_at - setup.created_at == timedelta(days=7)
    event = Event.objects.get(kind=Event.Kind.SERVER_SETUP_SENT)
    assert event.facts == {"server": "Our wiki", "who": "erin@example.org"}
    assert (event.organization, event.actor) == (organization, alice)


def test_a_new_form_ends_the_one_before(server, alice, token):
    newer, _ = send(server, alice, email="frank@example.org")

    assert servers.open_setup(server) == newer
    with pytest.raises(servers.SetupIsOver):
        find(token)


def test_a_withdrawn_form_is_over(server, token):
    servers.withdraw_setup(oauth_app=server)

    assert servers.open_setup(server) is None
    with pytest.raises(servers.SetupIsOver):
        find(token)


@pytest.mark.parametrize(
    "end",
    [
        lambda: ServerSetup.objects.update(expires_at=database_now()),
        lambda: ServerSetup.objects.update(used_at=database_now()),
        lambda: Organization.objects.update(is_active=False),
        lambda: Membership.objects.update(role="member"),
        lambda: Membership.objects.filter(user__first_name="Alice").delete(),
    ],
    ids=["expired", "used", "organization off", "sender lost the right", "sender left"],
)
def test_a_form_that_nobody_could_send_any_more_is_over(token, end):
    end()

    with pytest.raises(servers.SetupIsOver):
        find(token)


def test_an_unknown_token_is_over(db):
    with pytest.raises(servers.SetupIsOver):
        find("guess")
