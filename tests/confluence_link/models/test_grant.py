from __future__ import annotations

import copy
import pickle
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from confluence_link import vault
from confluence_link.models import Grant, SealedTokenSet
from tests import factories

NOW = timezone.now()
SOON, LATER = NOW + timedelta(seconds=1), NOW + timedelta(hours=1)
JUST, EARLIER = NOW - timedelta(seconds=1), NOW - timedelta(hours=1)


def due():
    return [grant.account_id for grant in Grant.objects.due(NOW)]


# --- the queue ------------------------------------------------------------------


def test_a_grant_is_due_when_its_time_has_come(make_grant):
    make_grant(account_id="now", refresh_at=NOW)
    make_grant(account_id="soon", refresh_at=SOON)

    assert due() == ["now"]


@pytest.mark.parametrize("status", ["reconnect_needed", "unlinked"])
def test_a_grant_that_is_not_active_is_never_due(make_grant, status):
    make_grant(status=status, refresh_at=EARLIER)

    assert due() == []


@pytest.mark.parametrize("field", ["lease_until", "queued_until"])
def test_a_grant_that_somebody_has_is_due_when_their_time_is_over(make_grant, field):
    make_grant(account_id="taken", refresh_at=EARLIER, **{field: SOON})
    make_grant(account_id="free", refresh_at=EARLIER, **{field: JUST})

    assert due() == ["free"]


def test_uncertain_grants_come_first_then_those_in_use(make_grant):
    rows = {
        "overdue": {"refresh_at": EARLIER - timedelta(days=1)},
        "never used": {"refresh_at": JUST},
        "used long ago": {"last_used_at": EARLIER},
        "used just now": {"last_used_at": JUST},
        "uncertain": {"uncertain_since": JUST},
        "long uncertain": {"uncertain_since": EARLIER, "last_used_at": EARLIER},
    }
    for name, fields in rows.items():
        make_grant(account_id=name, **{"refresh_at": EARLIER, **fields})

    assert due() == [
        "long uncertain",
        "uncertain",
        "used just now",
        "used long ago",
        "overdue",
        "never used",
    ]


# --- the row --------------------------------------------------------------------


def test_an_account_is_linked_by_one_user_at_a_time(make_grant, bob):
    first = make_grant(account_id="same")

    with pytest.raises(IntegrityError):
        make_grant(account_id=first.account_id, user=bob)


def test_an_account_may_be_linked_by_another_after_it_was_unlinked(make_grant, bob):
    make_grant(account_id="same", status=Grant.Status.UNLINKED)

    assert make_grant(account_id="same", user=bob).pk


def test_a_user_has_one_row_for_an_account_unlinked_or_not(make_grant):
    make_grant(account_id="same", status=Grant.Status.UNLINKED)

    with pytest.raises(IntegrityError):
        make_grant(account_id="same")


def test_l33_account_ids_are_compared_letter_by_letter(make_grant):
    ids = ["abc", "ABC", "abc ", "ábc", "a\u0301bc"]

    assert len({make_grant(account_id=each).pk for each in ids}) == len(ids)


def test_l33_the_same_account_id_at_another_app_is_another_account(make_grant):
    make_grant(account_id="same")

    assert make_grant(account_id="same", oauth_app=factories.make_oauth_app()).pk


def test_t04_public_ids_are_random(make_grant):
    ids = {make_grant().public_id for _ in range(20)}

    assert len(ids) == 20
    assert {len(each) for each in ids} == {16}


def test_a_grant_is_named_after_its_account():
    assert str(Grant(account_id="id-1", account_name="Ann")) == "Ann"
    assert str(Grant(account_id="id-1")) == "id-1"


@pytest.mark.parametrize(
    ("status", "failures", "trouble"),
    [
        ("active", 0, False),
        ("active", 1, True),
        ("reconnect_needed", 9, False),
        ("unlinked", 9, False),
    ],
)
def test_trouble_is_what_may_pass_by_itself(status, failures, trouble):
    grant = Grant(status=status, consecutive_failures=failures)

    assert grant.has_trouble is trouble


# --- the sealed token set -------------------------------------------------------


@pytest.fixture
def sealed(make_grant):
    grant = make_grant()
    vault.store_token_set(grant, access_token="CNRY-a", refresh_token="CNRY-r")
    return SealedTokenSet.objects.get(grant=grant)


def test_v11_a_sealed_token_set_names_its_grant_alone(sealed):
    assert str(sealed) == f"sealed token set of grant {sealed.grant_id}"
    assert repr(sealed) == f"<SealedTokenSet: {sealed}>"


@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy])
def test_v11_a_sealed_token_set_stays_in_the_database(sealed, carry):
    with pytest.raises(TypeError, match="stays in the database"):
        carry(sealed)


def test_v11_nobody_can_be_given_a_right_to_sealed_token_sets():
    assert SealedTokenSet._meta.default_permissions == ()
    assert SealedTokenSet._meta.permissions == []


def test_a_grant_has_one_sealed_token_set(sealed):
    with pytest.raises(IntegrityError):
        SealedTokenSet.objects.create(
            grant=sealed.grant, access=b"x", refresh=b"x", key_id="x"
        )


def test_v16_it_goes_with_its_grant(sealed):
    sealed.grant.delete()

    assert not SealedTokenSet.objects.exists()


def test_a_lease_is_found_by_its_id(make_grant):
    lease = uuid.uuid4()
    grant = make_grant(lease_id=lease, lease_until=LATER)

    assert Grant.objects.get(lease_id=lease) == grant
