"""Keys of organizations: shown once, compared safely, ended with their maker."""

from __future__ import annotations

import hashlib
import re
import time
from datetime import timedelta
from statistics import median

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import service_keys
from accounts.models import Membership, ServiceKey
from confluence_link.models import Event
from tests import factories


@pytest.fixture
def make(alice, organization):
    def make(**fields):
        now = timezone.now()
        given = {
            "organization": organization,
            "name": "Search",
            "scopes": list(service_keys.SCOPES),
            "expires_at": None,
            "actor": alice,
            "now": now,
        }
        return service_keys.make(**{**given, **fields})

    return make


def authenticate(key):
    return service_keys.authenticate(key, now=timezone.now())


def test_a_key_has_256_random_bits_behind_its_prefix(make):
    made = [make()[1] for _ in range(20)]
    for key in made:
        assert re.fullmatch(r"clk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", key)
    assert len({key[17:] for key in made}) == 20


def test_the_row_keeps_the_prefix_and_a_hash_only(make):
    row, key = make()
    row.refresh_from_db()
    assert row.prefix == key[:16]
    assert row.key_hash == hashlib.sha256(key.encode()).hexdigest()
    assert key[17:] not in str(row.__dict__)


def test_a_key_opens_for_its_organization_with_its_scopes(make, organization):
    _, key = make(scopes=["sites:read", "made:up"])
    found = authenticate(key)
    assert found.organization == organization
    assert found.scopes == ["sites:read"]


@pytest.mark.parametrize(
    "presented",
    ["", "clk_", "nonsense", "clk_000000000000_" + "a" * 43, "é" * 60, "\x00" * 60],
)
def test_what_is_no_key_opens_nothing(make, presented):
    make()
    assert authenticate(presented) is None


def test_another_secret_behind_the_right_prefix_opens_nothing(make):
    _, key = make()
    assert authenticate(key[:17] + "a" * 43) is None
    assert authenticate(key + "a") is None


def test_a_revoked_key_opens_nothing(make, alice):
    row, key = make()
    service_keys.revoke(key=row, actor=alice, now=timezone.now())
    assert authenticate(key) is None


def test_an_expired_key_opens_nothing(make):
    _, key = make(expires_at=timezone.now() + timedelta(days=1))
    assert authenticate(key) is not None
    ServiceKey.objects.update(expires_at=F("expires_at") - timedelta(days=1))
    assert authenticate(key) is None


def test_a04_a_key_does_not_outlive_its_makers_membership(make, carol, organization):
    membership = Membership.objects.filter(organization=organization, user=carol)
    membership.update(role=Membership.Role.ADMIN)
    _, key = make(actor=carol)
    assert authenticate(key) is not None
    membership.delete()
    assert authenticate(key) is None


def test_a04_a_key_rests_while_its_maker_could_not_make_it(make, carol, organization):
    membership = Membership.objects.filter(organization=organization, user=carol)
    membership.update(role=Membership.Role.ADMIN)
    _, key = make(actor=carol)
    membership.update(role=Membership.Role.MEMBER)
    assert authenticate(key) is None
    membership.update(role=Membership.Role.ADMIN)
    assert authenticate(key) is not None


def test_a04_who_may_make_no_keys_makes_none(make, carol):
    with pytest.raises(PermissionDenied):
        make(actor=carol)
    assert not ServiceKey.objects.exists()


@pytest.mark.parametrize("ended", ["person", "organization"])
def test_a_deactivated_person_or_organization_has_no_keys(
    make, alice, organization, ended
):
    _, key = make()
    row = alice if ended == "person" else organization
    row.is_active = False
    row.save()
    assert authenticate(key) is None


def test_the_last_use_is_written_once_a_minute(make):
    row, key = make()
    authenticate(key)
    row.refresh_from_db()
    first = row.last_used_at
    authenticate(key)
    row.refresh_from_db()
    assert row.last_used_at == first
    ServiceKey.objects.update(last_used_at=first - timedelta(seconds=61))
    authenticate(key)
    row.refresh_from_db()
    assert row.last_used_at >= first


def test_a_bad_key_is_no_use(make):
    row, key = make()
    authenticate(key[:-1] + ("a" if key[-1] != "a" else "b"))
    row.refresh_from_db()
    assert row.last_used_at is None


def _presented(make, alice):
    """Each way to be refused, by name."""
    row, revoked = make()
    service_keys.revoke(key=row, actor=alice, now=timezone.now())
    _, good = make()
    _, expired = make(expires_at=timezone.now())
    return {
        "unknown prefix": "clk_000000000000_" + "a" * 43,
        "wrong secret": good[:17] + "a" * 43,
        "revoked": revoked,
        "expired": expired,
    }


def test_a02_every_refusal_asks_the_database_the_same(make, alice):
    asked = {}
    for name, key in _presented(make, alice).items():
        with CaptureQueriesContext(connection) as queries:
            assert authenticate(key) is None
        asked[name] = len(queries)
    assert set(asked.values()) == {1}


def test_a02_every_refusal_takes_the_same_time(make, alice):
    took = {name: [] for name in _presented(make, alice)}
    presented = _presented(make, alice)
    for _ in range(100):
        for name, key in presented.items():
            began = time.perf_counter()
            authenticate(key)
            took[name].append(time.perf_counter() - began)
    # A row is read in some of them and not in others; nothing else differs.
    medians = [median(times) for times in took.values()]
    assert max(medians) < 4 * min(medians)


def test_making_and_revoking_is_recorded_without_the_key(make, alice, organization):
    row, key = make()
    service_keys.revoke(key=row, actor=alice, now=timezone.now())
    service_keys.revoke(key=row, actor=alice, now=timezone.now())
    kinds = [Event.Kind.KEY_MADE, Event.Kind.KEY_REVOKED]
    events = Event.objects.filter(kind__in=kinds).order_by("pk")
    assert [event.kind for event in events] == kinds
    for event in events:
        assert (event.organization, event.actor) == (organization, alice)
        assert event.facts == {"name": "Search", "prefix": key[:16]}


def test_a_key_is_found_in_a_text_where_none_should_be(make):
    row, key = make()
    assert service_keys.told_of(f"/api/v1/?key={key}&x=1") == row
    assert service_keys.told_of("/api/v1/?key=nothing") is None
    assert service_keys.told_of(f"/api/v1/?key={key[:17]}{'a' * 43}") is None


def test_keys_of_another_organization_are_not_listed(make, bob):
    other = factories.make_organization("Another", owner=bob)
    make(organization=other, actor=bob)
    row, _ = make()
    assert [*service_keys.of_organization(row.organization)] == [row]
