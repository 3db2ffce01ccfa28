"""Linking again what the same person has linked already, and reconnecting."""

from __future__ import annotations

import re

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from confluence_link import vault
from confluence_link.errors import VaultError
from confluence_link.models import Event, Grant, LinkedSite, SealedTokenSet
from tests import factories, link_steps
from tests.confluence_link.views.addresses import sites_url

NORTHWIND = link_steps.cloud_id("northwind")


def _rows():
    models = (Grant, SealedTokenSet, SocialAccount, LinkedSite)
    return [list(model.objects.order_by("pk").values()) for model in models]


def _words_of(client, address):
    """A page's words, without what differs each time."""
    html = client.get(address).content.decode()
    html = re.sub(r"csrfmiddlewaretoken[^>]*|<time.*?</time>", "", html, flags=re.S)
    return re.sub(r"<[^>]+>", " ", html).split()


# The same person
# ------------------------------------------------------------------------------
def test_l29_a_second_organization_uses_the_same_grant(
    carol, carol_client, cloud_app, organization, sandbox
):
    first = link_steps.linked(carol_client, sandbox, organization=organization)
    before = LinkedSite.objects.values().get()
    second = factories.make_organization("Second", owner=carol)
    link_steps.linked(carol_client, sandbox, organization=second)
    assert Grant.objects.count() == 1
    assert LinkedSite.objects.filter(pk=first.pk).values().get() == before
    page = carol_client.get(sites_url(organization)).content.decode()
    assert page.count('href="' + first.get_absolute_url()) >= 1
    assert LinkedSite.objects.for_organization(organization).count() == 1
    events = Event.objects.visible_to(organization)
    assert [event.kind for event in events] == [Event.Kind.LINKED]
    theirs = Event.objects.filter(organization=second)
    assert {event.kind for event in theirs} == {
        Event.Kind.LINKED,
        Event.Kind.RELINKED,
    }


def test_l29_who_shares_the_first_organization_learns_nothing_of_the_second(
    alice_client, carol, carol_client, cloud_app, organization, sandbox
):
    first = link_steps.linked(carol_client, sandbox, organization=organization)
    hidden = factories.make_organization("Hidden", owner=carol)
    timeline = f"{first.get_absolute_url()}timeline/"
    addresses = (
        organization.get_absolute_url(),
        first.get_absolute_url(),
        timeline,
    )
    # Twice, for the first look is a use, which the page tells.
    for _ in range(2):
        before = [_words_of(alice_client, address) for address in addresses]
    link_steps.linked(carol_client, sandbox, organization=hidden)
    after = [_words_of(alice_client, address) for address in addresses]
    assert after == before
    assert not [words for words in after if "Hidden" in words]


def test_l29_another_user_than_the_accounts_own_is_refused(
    bob_client, linked_site, other_organization, sandbox
):
    before = _rows()
    answer = link_steps.consented_to_cloud(
        bob_client, sandbox, organization=other_organization
    )
    assert link_steps.reason_of(answer) == "other_user"
    assert linked_site.organization.name not in answer.content.decode()
    assert _rows() == before


def test_l30_linking_again_keeps_the_ids_and_counts_the_epoch(
    alice_client, linked_site, organization, sandbox
):
    LinkedSite.objects.update(label="Ours")
    before, sealed = Grant.objects.get(), SealedTokenSet.objects.get()
    again = link_steps.linked(alice_client, sandbox, organization=organization)
    grant = Grant.objects.get()
    assert (again.pk, again.public_id, again.label) == (
        linked_site.pk,
        linked_site.public_id,
        "Ours",
    )
    assert (grant.pk, grant.public_id) == (before.pk, before.public_id)
    assert grant.epoch == before.epoch + 1
    assert SocialAccount.objects.count() == 1
    now = SealedTokenSet.objects.get()
    assert bytes(now.refresh) != bytes(sealed.refresh)
    assert bytes(now.previous_refresh) == b""
    assert Event.objects.filter(kind=Event.Kind.RELINKED).count() == 1


def test_l30_the_tokens_of_the_earlier_consent_open_no_more(
    alice_client, linked_site, organization, sandbox
):
    before = bytes(SealedTokenSet.objects.get().refresh)
    link_steps.linked(alice_client, sandbox, organization=organization)
    grant = Grant.objects.get()
    with pytest.raises(VaultError):
        vault.open_refresh(grant, before)
    assert vault.open_refresh(grant, SealedTokenSet.objects.get().refresh)


def test_l30_linking_again_brings_the_list_of_sites_up_to_date(
    alice_client, linked_site, organization, sandbox
):
    sandbox.cloud.leave_site("alice", "northwind")
    answer = link_steps.consented_to_cloud(
        alice_client, sandbox, organization=organization, site="riverside"
    )
    riverside = link_steps.cloud_id("riverside")
    link_steps.confirm(alice_client, answer, sites=[riverside])
    statuses = LinkedSite.objects.values_list("site_id", "status")
    assert dict(statuses) == {NORTHWIND: "lost", riverside: "linked"}


def test_a_dead_grant_lives_again_after_a_new_consent(
    alice_client, linked_site, organization, sandbox
):
    Grant.objects.update(
        status="reconnect_needed",
        death_reason="revoked",
        refusals=3,
        consecutive_failures=3,
        last_error="invalid_grant",
    )
    again = link_steps.linked(alice_client, sandbox, organization=organization)
    assert again.condition == "connected"
    assert (again.grant.death_reason, again.grant.refusals) == ("", 0)


# Reconnecting
# ------------------------------------------------------------------------------
def test_reconnecting_asks_for_the_account_that_is_linked(
    alice_client, linked_site, organization
):
    asked = {"organization": organization.slug, "reconnect": linked_site.public_id}
    page = alice_client.get(link_steps.start_url("cloud"), asked).content.decode()
    assert "Reconnect Northwind" in page
    assert "Alice Adams" in page


def test_reconnecting_with_the_same_account_renews_the_consent(
    alice_client, linked_site, organization, sandbox
):
    answer = link_steps.consented_to_cloud(
        alice_client,
        sandbox,
        organization=organization,
        reconnect=linked_site.public_id,
    )
    link_steps.confirm(alice_client, answer, sites=[NORTHWIND])
    assert Grant.objects.get().epoch == 2


def test_reconnecting_with_another_account_is_refused(
    alice_client, linked_site, organization, sandbox
):
    before = _rows()
    answer = link_steps.consented_to_cloud(
        alice_client,
        sandbox,
        organization=organization,
        account="bob",
        site="riverside",
        reconnect=linked_site.public_id,
    )
    assert link_steps.reason_of(answer) == "other_account"
    again = f"organization={organization.slug}&amp;reconnect={linked_site.public_id}"
    assert again in answer.content.decode()
    assert _rows() == before


def test_a_site_that_was_unlinked_on_the_way_is_linked_as_a_new_one(
    alice_client, linked_site, organization, sandbox
):
    started = link_steps.start(
        alice_client,
        "cloud",
        organization=organization,
        reconnect=linked_site.public_id,
    )
    LinkedSite.objects.all().delete()
    back = link_steps.consent_to_cloud(sandbox, started)
    assert link_steps.come_back(alice_client, back).status_code == 303


def test_a_foreign_linked_site_cannot_be_named_for_reconnecting(
    bob_client, linked_site, other_organization
):
    for public_id in (linked_site.public_id, "nothing"):
        started = link_steps.start(
            bob_client, "cloud", organization=other_organization, reconnect=public_id
        )
        assert started.status_code == 404


# What stays behind
# ------------------------------------------------------------------------------
def _stored():
    """Every value of every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  # our own tables
            for row in cursor.fetchall():
                yield from (
                    bytes(value)
                    if isinstance(value, memoryview)
                    else str(value).encode()
                    for value in row
                )


def test_l35_a_confirmation_by_password_comes_before_any_secret(
    alice, cloud_app, organization, sandbox
):
    """The page that asks again who it is lies before the way out, not after."""
    browser = factories.sign_in(Client(), alice, seconds_ago=86_400)
    asked = browser.get(link_steps.start_url("cloud"))
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    browser.get(asked["Location"])
    assert "socialaccount_states" not in browser.session
    assert sandbox.cloud.statistics.total("") == 0


def _elsewhere(client):
    """What lies in the cache, in the session, in cookies (messages too), in mails."""
    yield from map(bytes, cache._cache.values())
    yield str(dict(client.session.items())).encode()
    yield str(client.cookies).encode()
    yield from (sent.message().as_bytes() for sent in mail.outbox)


@pytest.mark.parametrize(
    "until", ["started", "consented", "came back", "looked", "nothing picked", "linked"]
)
def test_l35_a_flow_that_stops_anywhere_leaves_no_secret_in_clear(
    alice_client, cloud_app, organization, sandbox, until
):
    started = link_steps.start(alice_client, "cloud", organization=organization)
    if until != "started":
        back = link_steps.consent_to_cloud(sandbox, started)
    if until not in {"started", "consented"}:
        answer = link_steps.come_back(alice_client, back)
    if until == "looked":
        alice_client.get(answer["Location"])
    if until == "nothing picked":
        alice_client.post(answer["Location"], {"sites": []})
    if until == "linked":
        link_steps.confirm(alice_client, answer, sites=[NORTHWIND])
    values = [*_stored(), *_elsewhere(alice_client)]
    assert len(values) > 100
    state = link_steps.asked_of(started)["state"].encode()
    for value in values:
        assert b"CNRY" not in value
        assert state not in value
        assert sandbox.cloud.client.client_secret.encode() not in value
