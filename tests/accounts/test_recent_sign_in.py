"""Who signed in or confirmed it a short while ago may go on; others are asked."""

from __future__ import annotations

import time

import pytest
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.test import Client, RequestFactory

from accounts.recent_sign_in import require_recent_sign_in, signed_in_recently
from tests import factories


def _asking(client, user):
    request = RequestFactory().get("/")
    request.user, request.session = user, client.session
    return request


@pytest.mark.parametrize(
    ("seconds_ago", "recent"), [(0, True), (890, True), (910, False), (86_400, False)]
)
def test_a_sign_in_counts_for_fifteen_minutes(alice, seconds_ago, recent):
    client = factories.sign_in(Client(), alice, seconds_ago=seconds_ago)
    assert signed_in_recently(_asking(client, alice)) is recent


def test_an_old_sign_in_is_asked_for(alice):
    client = factories.sign_in(Client(), alice, seconds_ago=86_400)
    with pytest.raises(ReauthenticationRequired):
        require_recent_sign_in(_asking(client, alice))


def test_a_fresh_one_is_not(alice):
    client = factories.sign_in(Client(), alice)
    require_recent_sign_in(_asking(client, alice))


def test_confirming_on_allauths_page_counts(alice):
    client = factories.sign_in(Client(), alice, seconds_ago=86_400)
    client.post("/accounts/reauthenticate/", {"password": factories.PASSWORD})
    assert signed_in_recently(_asking(client, alice))


def test_a_wrong_password_does_not_count(alice):
    client = factories.sign_in(Client(), alice, seconds_ago=86_400)
    client.post("/accounts/reauthenticate/", {"password": "wrong"})
    assert not signed_in_recently(_asking(client, alice))


def test_the_real_sign_in_page_counts(alice):
    client = Client()
    credentials = {"login": alice.email, "password": factories.PASSWORD}
    assert client.post("/accounts/login/", credentials).status_code == 302
    assert signed_in_recently(_asking(client, alice))


def test_records_of_another_person_in_the_session_do_not_count(alice, bob):
    client = factories.sign_in(Client(), alice)
    session = client.session
    session["signed_in_at"] = time.time() - 86_400
    session.save()
    assert not signed_in_recently(_asking(client, bob))


def test_who_has_nothing_to_confirm_with_is_not_asked(db):
    """allauth's rule: there is nothing that it could ask for."""
    user = factories.make_user(password=UNUSABLE_PASSWORD_PREFIX + "x" * 40)
    client = factories.sign_in(Client(), user, seconds_ago=86_400)
    require_recent_sign_in(_asking(client, user))
    assert EmailAddress.objects.filter(user=user).exists()
