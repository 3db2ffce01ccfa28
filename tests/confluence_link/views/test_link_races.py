"""The same request many times at once, with a database that really commits."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from allauth.socialaccount.models import SocialAccount
from django.db import connection
from django.test import Client

from confluence_link.linking import deleting
from confluence_link.models import Grant, LinkedSite, SealedTokenSet, UsedState
from tests import link_steps
from tests.waiting import while_it_waits

pytestmark = pytest.mark.django_db(transaction=True)

NORTHWIND = link_steps.cloud_id("northwind")


def _at_once(client, times, ask):
    """What `ask` gives for as many browsers with the same cookies."""
    together = Barrier(times, timeout=30)

    def one(_):
        browser = Client()
        browser.cookies = client.cookies
        together.wait()
        try:
            return ask(browser)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def _outcome(answer):
    return (
        answer.status_code if answer.status_code < 400 else link_steps.reason_of(answer)
    )


def test_l06_of_ten_callbacks_at_once_one_exchanges_the_code(
    transactional_db, alice_client, cloud_app, organization, sandbox
):
    started = link_steps.start(alice_client, "cloud", organization=organization)
    back = link_steps.consent_to_cloud(sandbox, started)
    answers = _at_once(alice_client, 10, lambda browser: browser.get(back))
    assert Counter(map(_outcome, answers)) == {303: 1, "used": 9}
    assert link_steps.token_calls(sandbox) == 1
    assert UsedState.objects.count() == 1
    (came_back,) = [answer for answer in answers if answer.status_code == 303]
    link_steps.confirm(alice_client, came_back, sites=[NORTHWIND])
    assert Grant.objects.count() == 1


def test_a_confirm_button_pressed_many_times_links_once(
    transactional_db, alice_client, cloud_app, organization, sandbox
):
    came_back = link_steps.consented_to_cloud(
        alice_client, sandbox, organization=organization
    )
    answers = _at_once(
        alice_client,
        6,
        lambda browser: browser.post(came_back["Location"], {"sites": [NORTHWIND]}),
    )
    outcomes = Counter(map(_outcome, answers))
    assert outcomes[302] == 1
    assert sum(outcomes.values()) == 6
    assert set(outcomes) == {302, "pending_expired"}
    assert Grant.objects.get().epoch == 1
    for model in (LinkedSite, SealedTokenSet, SocialAccount):
        assert model.objects.count() == 1


def test_of_two_people_who_confirm_one_account_at_once_one_gets_it(
    transactional_db,
    alice_client,
    bob_client,
    cloud_app,
    organization,
    other_organization,
    sandbox,
):
    waiting = [
        (client, link_steps.consented_to_cloud(client, sandbox, organization=own))
        for client, own in (
            (alice_client, organization),
            (bob_client, other_organization),
        )
    ]

    def press(number):
        client, came_back = waiting[number]
        together.wait()
        try:
            return client.post(came_back["Location"], {"sites": [NORTHWIND]})
        finally:
            connection.close()

    together = Barrier(2, timeout=30)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, range(2)))
    assert Counter(map(_outcome, answers)) == {302: 1, "other_user": 1}
    grant = Grant.objects.get()
    assert SocialAccount.objects.get().user == grant.user
    assert LinkedSite.objects.get().linked_by == grant.user


def test_a_link_for_an_organization_that_is_deleted_meanwhile_is_refused(
    transactional_db, carol_client, alice, cloud_app, organization, sandbox
):
    came_back = link_steps.consented_to_cloud(
        carol_client, sandbox, organization=organization
    )
    answer = while_it_waits(
        lambda: carol_client.post(came_back["Location"], {"sites": [NORTHWIND]}),
        lambda: deleting.delete_organization(organization=organization, actor=alice),
    )
    # On SQLite the whole request comes after the deletion.
    assert answer.status_code == 404 or link_steps.reason_of(answer) == "not_member"
    assert not SealedTokenSet.objects.exists()


def test_a_consent_for_an_organization_that_is_deleted_meanwhile_is_refused(
    transactional_db, carol_client, alice, cloud_app, organization, sandbox
):
    started = link_steps.start(carol_client, "cloud", organization=organization)
    back = link_steps.consent_to_cloud(sandbox, started)
    answer = while_it_waits(
        lambda: carol_client.get(back),
        lambda: deleting.delete_organization(organization=organization, actor=alice),
    )
    assert link_steps.reason_of(answer) == "not_member"
    assert not SealedTokenSet.objects.exists()
