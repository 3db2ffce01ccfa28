"""The page of keys: a key is in one answer, and in nothing else."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import service_keys
from accounts.models import Membership, ServiceKey
from tests import factories

FORM = {"name": "Search", "scopes": ["sites:read", "sites:token"], "days": "90"}


@pytest.fixture
def url(organization):
    return reverse("accounts:keys", args=[organization.slug])


def key_in(page):
    found = re.search(r"clk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", page.content.decode())
    return found and found[0]


def test_a_new_key_is_shown_once_and_works(alice_client, url, organization):
    page = alice_client.post(url, FORM)
    key = key_in(page)
    found = service_keys.authenticate(key, now=timezone.now())
    assert (found.organization, found.name) == (organization, "Search")
    assert key_in(alice_client.get(url)) is None
    assert key[:16] in alice_client.get(url).content.decode()


def test_a_new_key_is_in_no_cache_session_or_message(alice_client, url):
    page = alice_client.post(url, FORM)
    assert "no-store" in page["Cache-Control"]
    key = key_in(page)
    kept = [str(session.get_decoded()) for session in Session.objects.all()]
    assert not any(key in text for text in kept)
    assert key not in str(alice_client.cookies)


@pytest.mark.parametrize(
    ("days", "life"), [("30", 30), ("90", 90), ("365", 365), ("0", None)]
)
def test_a_key_ends_as_chosen(alice_client, url, days, life):
    alice_client.post(url, {**FORM, "days": days})
    row = ServiceKey.objects.get()
    lives = (row.expires_at - row.created_at).days if row.expires_at else None
    assert lives == life


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "\u2028"},
        {"name": "x" * 101},
        {"scopes": []},
        {"scopes": ["sites:read", "sites:write"]},
        {"days": "1000"},
        {"days": ""},
    ],
)
def test_a_form_that_is_wrong_makes_nothing(alice_client, url, wrong):
    page = alice_client.post(url, {**FORM, **wrong})
    assert page.status_code == 200
    assert not ServiceKey.objects.exists()


def test_revoking_ends_the_key_with_the_next_request(alice_client, url, organization):
    key = key_in(alice_client.post(url, FORM))
    row = ServiceKey.objects.get()
    revoke = reverse("accounts:revoke_key", args=[organization.slug, row.public_id])
    assert alice_client.get(revoke).status_code == 405
    page = alice_client.post(revoke, follow=True).content.decode()
    assert "The key “Search” works no more." in page
    assert service_keys.authenticate(key, now=timezone.now()) is None


def test_the_list_says_which_keys_rest(alice_client, carol, organization, url):
    carols = Membership.objects.filter(pk=factories.join(carol, organization).pk)
    carols.update(role=Membership.Role.ADMIN)
    service_keys.make(
        organization=organization,
        name="Carol's",
        scopes=["sites:read"],
        expires_at=None,
        actor=carol,
        now=timezone.now(),
    )
    carols.update(role=Membership.Role.MEMBER)
    page = alice_client.get(url).content.decode()
    assert "Does not work" in page
    assert f"{carol.email} may not make keys any more" in page


@pytest.mark.parametrize("role", Membership.Role.values)
def test_the_table_of_rights_says_who_makes_keys(carol, carol_client, url, role):
    Membership.objects.filter(user=carol).update(role=role)
    status = 403 if role == "member" else 200
    assert carol_client.get(url).status_code == status
    assert carol_client.post(url, FORM).status_code == status
    assert ServiceKey.objects.exists() == (status == 200)


def test_other_peoples_keys_are_not_there(bob_client, alice_client, url, organization):
    alice_client.post(url, FORM)
    row = ServiceKey.objects.get()
    assert bob_client.get(url).status_code == 404
    for slug in (organization.slug, "bob-and-co"):
        revoke = reverse("accounts:revoke_key", args=[slug, row.public_id])
        assert bob_client.post(revoke).status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None


def test_making_wants_a_recent_sign_in_and_then_goes_on(alice, url, organization):
    client = factories.sign_in(Client(), alice, seconds_ago=86_400)
    assert client.get(url).status_code == 200
    asked = client.post(url, FORM)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert not ServiceKey.objects.exists()
    done = client.post(asked["Location"], {"password": factories.PASSWORD}, follow=True)
    assert key_in(done)
