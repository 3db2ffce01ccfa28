"""Grants that nobody uses: weekly, on demand, and never at the cost of their life."""

from __future__ import annotations

from datetime import timedelta

import pytest

from confluence_link import handoff, refresh
from confluence_link.admin.start_page import _overdue
from confluence_link.errors import TokenUnavailable
from confluence_link.models import Grant, database_now
from confluence_link.refresh import Outcome
from tests import grants

WEEK_SECONDS = 7 * 24 * 3600
HOUR = timedelta(hours=1)


@pytest.fixture(params=["cloud", "data_center"])
def grant(request):
    return request.getfixturevalue(f"{request.param}_grant")


def _refresh(grant):
    """By the worker, when the row planned it."""
    Grant.objects.filter(pk=grant.pk).update(refresh_at=database_now())
    return refresh.refresh_batch([grant.pk])[0]


@pytest.fixture
def idle_grant(sandbox, grant):
    """Not used for a week, and rotated since: it rests."""
    grants.seconds_pass(sandbox, WEEK_SECONDS)
    assert _refresh(grant) is Outcome.REFRESHED
    return grants.again(grant)


def _until_next(grant):
    grant = grants.again(grant)
    return grant.refresh_at - grant.last_rotated_at


def test_a_week_after_the_consent_a_grant_that_nobody_used_rests(idle_grant):
    assert timedelta(days=5) <= _until_next(idle_grant) <= timedelta(days=7)


def test_a_week_after_the_last_use_it_rests(sandbox, grant):
    grants.seconds_pass(sandbox, WEEK_SECONDS - 3600)
    handoff.fresh_token(grant=grant)
    assert _until_next(grant) < HOUR
    grants.seconds_pass(sandbox, WEEK_SECONDS - 3600)
    _refresh(grant)
    assert _until_next(grant) < HOUR
    grants.seconds_pass(sandbox, 2 * 3600)
    _refresh(grant)
    assert _until_next(grant) > timedelta(days=4)


def test_a_new_consent_counts_as_a_use(idle_grant):
    Grant.objects.update(
        consented_at=database_now(), last_used_at=database_now() - timedelta(days=30)
    )
    _refresh(idle_grant)
    assert _until_next(idle_grant) < HOUR


def test_without_the_policy_everything_is_refreshed_by_the_hour(
    sandbox, cloud_grant, settings
):
    settings.CONFLUENCE_LINK_IDLE_POLICY = False
    grants.seconds_pass(sandbox, WEEK_SECONDS)
    _refresh(cloud_grant)
    assert _until_next(cloud_grant) < HOUR


def test_no_sweep_takes_what_rests_and_no_operator_is_alarmed(sandbox, idle_grant):
    grants.seconds_pass(sandbox, 4 * 24 * 3600)
    assert refresh.sweep(enqueue=pytest.fail) == 0
    assert _overdue(database_now()) == []


def test_a_resting_grant_is_served_with_a_live_token_and_wakes(sandbox, idle_grant):
    grants.seconds_pass(sandbox, 3 * 24 * 3600)
    token = handoff.fresh_token(grant=idle_grant)
    assert token.generation == idle_grant.generation + 1
    assert token.expires_at > database_now() + timedelta(minutes=50)
    assert _until_next(idle_grant) < HOUR


def test_a_use_while_the_token_is_fresh_wakes_it_before_the_token_ends(idle_grant):
    handoff.fresh_token(grant=idle_grant)
    woken = grants.again(idle_grant)
    assert woken.generation == idle_grant.generation
    assert database_now() < woken.refresh_at < woken.expires_at


def test_a_use_during_the_weekly_refresh_wakes_it_as_well(idle_grant):
    now = database_now()
    Grant.objects.update(last_used_at=now - timedelta(seconds=5))
    handoff.fresh_token(grant=idle_grant)
    assert now < grants.again(idle_grant).refresh_at < idle_grant.expires_at


def test_a_use_that_finds_the_other_side_away_wakes_it_all_the_same(
    sandbox, cloud_grant
):
    grants.seconds_pass(sandbox, WEEK_SECONDS)
    _refresh(cloud_grant)
    grants.seconds_pass(sandbox, 24 * 3600)
    sandbox.cloud.faults.add("token", "server_error", times=1)
    with pytest.raises(TokenUnavailable):
        handoff.fresh_token(grant=cloud_grant)
    assert grants.again(cloud_grant).refresh_at < database_now() + HOUR
    grants.seconds_pass(sandbox, 3600)
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]
    assert _until_next(cloud_grant) < HOUR


def test_a_refresh_by_an_operator_is_no_use(sandbox, idle_grant):
    grants.seconds_pass(sandbox, 24 * 3600)
    assert refresh.refresh_now(grant_id=idle_grant.pk) is Outcome.REFRESHED
    assert _until_next(idle_grant) > timedelta(days=4)


def test_a_failure_of_a_resting_grant_is_repeated_within_the_hour(sandbox, idle_grant):
    for part in (sandbox.cloud, sandbox.data_center):
        part.faults.add("token", "server_error", times=1)
    assert _refresh(idle_grant) is Outcome.UNCERTAIN
    assert grants.again(idle_grant).refresh_at < database_now() + HOUR


def test_f39_a_healthy_grant_that_nobody_uses_outlives_the_idle_limit(sandbox, grant):
    passed = timedelta()
    while passed < timedelta(days=120):
        row = grants.again(grant)
        wait = row.refresh_at - database_now()
        grants.seconds_pass(sandbox, wait.total_seconds() + 1)
        # After the first week the hourly rounds need not be played one by one.
        Grant.objects.filter(pk=grant.pk).update(
            last_used_at=database_now() - timedelta(days=8)
        )
        assert refresh.refresh_batch([grant.pk]) == [Outcome.REFRESHED]
        passed += wait
    assert grants.again(grant).status == Grant.Status.ACTIVE
    assert handoff.fresh_token(grant=grant).expires_at > database_now()
