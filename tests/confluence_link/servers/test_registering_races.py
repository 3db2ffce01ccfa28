"""A server is changed or removed while somebody links through it."""

from __future__ import annotations

import pytest

from confluence_link import linking, servers
from confluence_link.errors import LinkRefused
from confluence_link.models import Grant, LinkedSite, OAuthApp, PendingLink
from tests.confluence_link.linking.pendings import make_pending
from tests.waiting import while_it_waits

pytestmark = pytest.mark.django_db(transaction=True)

ELSEWHERE = "https://elsewhere.example.com"


@pytest.fixture
def pend(ready_server, carol, organization):
    """Carol's consent waits for her word."""
    return lambda: make_pending(
        user=carol, organization=organization, oauth_app=ready_server
    )


@pytest.fixture
def confirm(pend, carol):
    pending = pend()
    return lambda: linking.confirm(pending=pending, site_ids=["northwind"], actor=carol)


@pytest.fixture
def move(ready_server, alice):
    """The server's address becomes another one."""
    settings = servers.Settings(
        name=ready_server.name, scopes=ready_server.scopes, base_url=ELSEWHERE
    )
    return lambda: servers.change(
        oauth_app=ready_server, settings=settings, actor=alice
    )


@pytest.fixture
def remove(ready_server, alice):
    return lambda: servers.remove(oauth_app=ready_server, actor=alice)


def test_tokens_that_came_meanwhile_are_not_sent_to_another_address(pend, move):
    while_it_waits(move, pend)
    assert OAuthApp.objects.get().base_url == ELSEWHERE
    assert not PendingLink.objects.exists()


def test_tokens_of_the_address_before_are_not_kept(pend, move):
    with pytest.raises(LinkRefused, match="configuration"):
        while_it_waits(pend, move)
    assert not PendingLink.objects.exists()


def test_an_address_is_fixed_by_whoever_links_meanwhile(confirm, move):
    with pytest.raises(servers.AddressIsFixed):
        while_it_waits(move, confirm)
    assert OAuthApp.objects.get().base_url != ELSEWHERE


def test_nobody_links_what_was_moved_meanwhile(confirm, move):
    with pytest.raises(LinkRefused, match="pending_expired"):
        while_it_waits(confirm, move)
    assert not Grant.objects.exists()


def test_a_removal_ends_what_is_linked_meanwhile(confirm, remove):
    while_it_waits(remove, confirm)
    assert not OAuthApp.objects.exists()
    assert not Grant.objects.exists()


def test_a_removal_erases_what_is_about_to_be_linked(pend, remove):
    while_it_waits(remove, pend)
    assert not PendingLink.objects.exists()


def test_nobody_links_what_was_removed_meanwhile(confirm, remove):
    with pytest.raises(LinkRefused, match="pending_expired"):
        while_it_waits(confirm, remove)
    assert not Grant.objects.exists()


def test_no_consent_waits_for_what_was_removed_meanwhile(pend, remove):
    with pytest.raises(LinkRefused, match="configuration"):
        while_it_waits(pend, remove)
    assert not PendingLink.objects.exists()


def test_a_removal_waits_for_who_unlinks(confirm, remove, carol):
    (linked_site,) = confirm()
    while_it_waits(remove, lambda: linking.unlink(linked_site=linked_site, actor=carol))
    assert not Grant.objects.exists()


def test_who_unlinks_waits_for_a_removal(confirm, remove, carol):
    (linked_site,) = confirm()
    while_it_waits(lambda: linking.unlink(linked_site=linked_site, actor=carol), remove)
    assert not LinkedSite.objects.exists()


def test_nobody_is_mailed_about_what_was_removed_meanwhile(ready_server, remove, alice):
    with pytest.raises(servers.SetupIsOver):
        while_it_waits(
            lambda: servers.send_setup(
                oauth_app=ready_server, email="admin@example.com", actor=alice
            ),
            remove,
        )


def test_nobody_enters_a_secret_for_what_was_removed_meanwhile(
    ready_server, remove, alice
):
    setup, _ = servers.send_setup(
        oauth_app=ready_server, email="admin@example.com", actor=alice
    )
    with pytest.raises(servers.SetupIsOver):
        while_it_waits(
            lambda: servers.complete_setup(
                setup=setup, client_id="an-id", client_secret="a-secret"
            ),
            remove,
        )


def test_a_server_is_removed_once(ready_server, remove):
    while_it_waits(remove, remove)
    assert not OAuthApp.objects.exists()
