"""Answers of workers that stood still, while others went on with the same grant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from confluence_link import refresh
from confluence_link.http import Deadline
from confluence_link.models import Grant, database_now
from confluence_link.refresh import Outcome, claim, store
from confluence_link.refresh.exchange import exchange
from tests import grants
from tests.moved_clock import moved_clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock(sandbox, monkeypatch):
    with moved_clock(sandbox, monkeypatch) as clock:
        yield clock


def _answered(grant):
    """A worker that leased and has its answer; what it would do next."""
    lease_id, (row,) = claim.lease_due([grant.pk])
    leased = claim.open_leased(row, lease_id)
    answer = exchange(leased, deadline=Deadline(30))
    return lambda: store.store(
        grant=row,
        lease_id=lease_id,
        refresh_token=leased.refresh_token,
        token_set=answer,
        asked_at=leased.asked_at,
    )


def test_f13_a_late_answer_that_may_be_retired_is_followed_by_another_exchange(
    sandbox, clock, cloud_grant
):
    """The later exchange retired it, and nobody knows what came of that one."""
    sandbox.cloud.behaviour.change({"reuse": "last_wins"})
    grants.make_due(cloud_grant)
    store_late = _answered(cloud_grant)
    clock.advance(76)
    _answered(cloud_grant)
    clock.advance(76)
    assert store_late()
    assert grants.again(cloud_grant).uncertain_since is not None
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]
    assert grants.again(cloud_grant).uncertain_since is None


def test_f13_what_a_late_answer_came_too_late_for_was_not_ended_by_its_person(
    sandbox, clock, cloud_grant
):
    grants.make_due(cloud_grant)
    store_late = _answered(cloud_grant)
    clock.advance(601)
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFUSED]
    assert store_late()
    for _ in range(5):
        refresh.refresh_batch([cloud_grant.pk])
        clock.advance(500)
    row = grants.again(cloud_grant)
    assert row.status == Grant.Status.RECONNECT_NEEDED
    assert row.death_reason == Grant.DeathReason.ROTATION_LOST


def test_f47_a_dead_grant_that_a_late_answer_wakes_rests_with_its_person(
    clock, data_center_grant, alice
):
    grants.make_due(data_center_grant)
    store_late = _answered(data_center_grant)
    for _ in range(5):
        clock.advance(500)
        refresh.refresh_batch([data_center_grant.pk])
    row = grants.again(data_center_grant)
    assert row.status == Grant.Status.RECONNECT_NEEDED
    alice.is_active = False
    alice.save()
    assert store_late()
    assert grants.again(data_center_grant).status == Grant.Status.PAUSED


def test_f12_a_failure_of_a_later_time_makes_one_answer_late_and_no_other(cloud_grant):
    """The database's clock was set back after it."""
    later = database_now() + timedelta(hours=1)
    Grant.objects.update(last_error_at=later, uncertain_since=later)
    for generation in (2, 3):
        Grant.objects.update(refresh_at=database_now())
        assert _answered(cloud_grant)()
        assert grants.again(cloud_grant).generation == generation
    assert grants.again(cloud_grant).uncertain_since is None


@pytest.mark.timeout(30)
def test_a_batch_ends_when_the_last_of_it_were_held_back(sandbox, cloud_grant):
    """The app pauses after the first answer, and nothing else is under way."""
    other = grants.copy_of(cloud_grant)
    sandbox.cloud.faults.add("token", "rate_limited")
    for grant in (cloud_grant, other):
        grants.make_due(grant)
    outcomes = refresh.refresh_batch([cloud_grant.pk, other.pk])
    assert sorted(outcomes) == [Outcome.BUSY, Outcome.NOT_BEGUN]
