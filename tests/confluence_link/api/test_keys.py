"""Who may call: a key in the header, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import service_keys
from accounts.models import Membership, ServiceKey
from confluence_link.api.keys import BAD_KEYS
from confluence_link.models import Event
from tests.confluence_link.api.conftest import make_key

SITES = "/api/v1/linked-sites"


def ask(header, **more):
    return Client().get(SITES, headers={"Authorization": header}, **more)


def test_a01_every_refusal_is_the_same_to_the_byte(alice, organization, key, call):
    expired = make_key(organization, alice, expires_at=timezone.now())
    revoked = make_key(organization, alice)
    service_keys.revoke(
        key=ServiceKey.objects.get(prefix=revoked[:16]), actor=alice, now=timezone.now()
    )
    answers = [
        Client().get(SITES),
        ask(""),
        ask("Bearer"),
        ask("Bearer nonsense"),
        ask("Bearer \xe9\xff"),
        ask(f"Basic {key}"),
        ask(key),
        ask(f"Bearer {key}x"),
        ask(f"Bearer {key[:17]}{'a' * 43}"),
        ask(f"Bearer {expired}"),
        ask(f"Bearer {revoked}"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert {answer["WWW-Authenticate"] for answer in answers} == {"Bearer"}
    assert answers[0].json()["code"] == "unauthorized"
    assert answers[0]["Content-Type"] == "application/problem+json"


def test_a01_revocation_acts_on_the_next_request(alice, key, call):
    assert call("linked-sites", key).status_code == 200
    row = ServiceKey.objects.get()
    service_keys.revoke(key=row, actor=alice, now=timezone.now())
    assert call("linked-sites", key).status_code == 401


def test_a03_many_bad_keys_of_one_source_are_told_to_wait(key):
    answers = [ask("Bearer nonsense") for _ in range(BAD_KEYS + 1)]
    assert answers[0].status_code == 401
    assert answers[-1].status_code == 429
    assert answers[-1].json()["code"] == "too_many"
    assert int(answers[-1]["Retry-After"]) > 0
    assert ask("Bearer nonsense", REMOTE_ADDR="192.0.2.7").status_code == 401
    assert ask(f"Bearer {key}", REMOTE_ADDR="192.0.2.7").status_code == 200


def test_a03_a_made_up_forwarding_does_not_help(db):
    for number in range(BAD_KEYS + 1):
        last = ask("Bearer nonsense", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
    assert last.status_code == 429


def test_a03_another_address_of_the_same_network_does_not_help(db):
    for number in range(BAD_KEYS + 1):
        last = ask("Bearer nonsense", REMOTE_ADDR=f"2001:db8::{number:x}")
    assert last.status_code == 429


def test_a04_a_key_without_the_scope_gets_no_token(alice, organization, site, call):
    key = make_key(organization, alice, "sites:read")
    assert call(f"linked-sites/{site.public_id}", key).status_code == 200
    answer = call(f"linked-sites/{site.public_id}/token", key, "post")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a04_a_key_for_tokens_alone_lists_nothing(alice, organization, site, call):
    key = make_key(organization, alice, "sites:token")
    assert call("linked-sites", key).status_code == 403
    assert call(f"linked-sites/{site.public_id}", key).status_code == 403


def test_a04_no_page_of_people_takes_a_key(key, organization):
    for path in ("keys", "members", "sites"):
        url = f"/o/{organization.slug}/{path}/"
        answer = Client().get(url, headers={"Authorization": f"Bearer {key}"})
        assert answer["Location"].startswith("/accounts/login/")


def test_a04_a_key_ends_with_its_makers_membership(alice, key, call):
    Membership.objects.filter(user=alice).update(role=Membership.Role.MEMBER)
    assert call("linked-sites", key).status_code == 401


@pytest.mark.parametrize("where", ["query", "path"])
def test_a05_a_key_in_an_address_is_refused_and_told(key, call, organization, where):
    path = f"linked-sites?api_key={key}" if where == "query" else f"linked-sites/{key}"
    for _ in range(3):
        answer = call(path, key)
    assert (answer.status_code, answer.json()["code"]) == (400, "key_exposed")
    assert key not in answer.content.decode()
    event = Event.objects.get(kind=Event.Kind.KEY_EXPOSED)
    assert (event.organization, event.actor) == (organization, None)
    assert event.facts == {"name": "Search", "prefix": key[:16]}


def test_a05_a_made_up_key_in_an_address_is_refused_and_recorded_for_nobody(call):
    answer = call(f"linked-sites?key=clk_000000000000_{'a' * 43}")
    assert answer.json()["code"] == "key_exposed"
    assert not Event.objects.exists()


def test_a05_an_encoded_key_is_seen_as_well(key, call):
    answer = call(f"linked-sites?key=%63lk%5F{key[4:]}")
    assert answer.json()["code"] == "key_exposed"


def test_a16_a_signed_in_browser_is_nobody(alice_client):
    answer = alice_client.get(SITES)
    assert answer.status_code == 401
    assert not answer.has_header("Access-Control-Allow-Origin")


def test_an_old_key_of_somebody_who_left_stays_dead(alice, key, call, organization):
    ServiceKey.objects.update(expires_at=timezone.now() + timedelta(days=1))
    Membership.objects.filter(user=alice, organization=organization).delete()
    assert call("linked-sites", key).status_code == 401
