"""What a failure means for the grant, and when it is death."""

from __future__ import annotations

from datetime import timedelta

import pytest

from confluence_link import refresh
from confluence_link.models import Event, Grant, OAuthAppHealth, database_now
from confluence_link.refresh import Outcome
from tests import grants


def _refresh(grant):
    """One try by the worker, at whatever time the row planned it."""
    Grant.objects.filter(pk=grant.pk).update(refresh_at=database_now())
    return refresh.refresh_batch([grant.pk])[0]


def _revoke(sandbox):
    sandbox.cloud.revoke("alice")


def _plan(grant):
    """Seconds until the row is asked again, as an incident would meet it."""
    grant = grants.again(grant)
    return (grant.refresh_at - grant.last_error_at).total_seconds()


def _another_succeeded(grant):
    """The app's row says so; the success itself is another grant's."""
    OAuthAppHealth.objects.update_or_create(
        oauth_app=grant.oauth_app, defaults={"last_success_at": database_now()}
    )


def test_f34_a_revoked_grant_is_dead_after_two_refusals_while_the_app_is_healthy(
    sandbox, cloud_grant
):
    _revoke(sandbox)
    assert _refresh(cloud_grant) is Outcome.REFUSED
    _another_succeeded(cloud_grant)
    grants.seconds_pass(sandbox, 61)
    assert _refresh(cloud_grant) is Outcome.DEAD
    dead = grants.again(cloud_grant)
    assert dead.status == Grant.Status.RECONNECT_NEEDED
    assert dead.death_reason == Grant.DeathReason.REVOKED
    event = Event.objects.get(kind=Event.Kind.RECONNECT_NEEDED)
    assert event.notice == Event.Notice.PENDING


def test_a_success_before_the_first_refusal_proves_nothing(sandbox, cloud_grant):
    _another_succeeded(cloud_grant)
    grants.seconds_pass(sandbox, 1)
    sandbox.cloud.faults.add("token", "invalid_grant", times=2)
    assert _refresh(cloud_grant) is Outcome.REFUSED
    grants.seconds_pass(sandbox, 61)
    assert _refresh(cloud_grant) is Outcome.REFUSED
    grants.seconds_pass(sandbox, 61)
    assert _refresh(cloud_grant) is Outcome.REFRESHED


def test_two_refusals_within_a_minute_prove_nothing(sandbox, cloud_grant):
    _revoke(sandbox)
    assert _refresh(cloud_grant) is Outcome.REFUSED
    _another_succeeded(cloud_grant)
    grants.seconds_pass(sandbox, 50)
    assert _refresh(cloud_grant) is Outcome.REFUSED


def test_a_quiet_app_takes_three_refusals_over_a_quarter_of_an_hour(
    sandbox, cloud_grant
):
    _revoke(sandbox)
    outcomes = []
    for seconds in (61, 61, 15 * 60):
        outcomes.append(_refresh(cloud_grant))
        grants.seconds_pass(sandbox, seconds)
    assert outcomes == [Outcome.REFUSED] * 3
    assert _refresh(cloud_grant) is Outcome.DEAD


def test_where_others_could_succeed_time_alone_proves_nothing(sandbox, cloud_grant):
    for _ in range(4):
        grants.copy_of(cloud_grant)
    _revoke(sandbox)
    for seconds in (61, 61, 16 * 60):
        assert _refresh(cloud_grant) is Outcome.REFUSED
        grants.seconds_pass(sandbox, seconds)
    assert _refresh(cloud_grant) is Outcome.REFUSED
    _another_succeeded(cloud_grant)
    grants.seconds_pass(sandbox, 1)
    assert _refresh(cloud_grant) is Outcome.DEAD


def _rest(*others):
    """Idle: rotated yesterday, and not due before some days."""
    for other in others:
        Grant.objects.filter(pk=other.pk).update(
            last_rotated_at=database_now() - timedelta(days=1),
            refresh_at=database_now() + timedelta(days=4),
        )


def _due_ids():
    return set(Grant.objects.due(database_now()).values_list("pk", flat=True))


def test_where_all_others_are_idle_a_second_refusal_calls_one_as_a_witness(
    sandbox, cloud_grant
):
    others = [grants.copy_of(cloud_grant) for _ in range(5)]
    _rest(*others)
    sandbox.cloud.faults.add("token", "invalid_grant", times=2)
    assert _refresh(cloud_grant) is Outcome.REFUSED
    assert _due_ids() == set()
    grants.seconds_pass(sandbox, 61)
    assert _refresh(cloud_grant) is Outcome.REFUSED
    (witness,) = _due_ids()
    assert witness in {other.pk for other in others}


def test_the_witness_succeeds_and_the_next_refusal_is_death(sandbox, cloud_grant):
    other = grants.copy_of(cloud_grant)
    _rest(other)
    for _ in range(2):
        sandbox.cloud.faults.add("token", "invalid_grant", times=1)
        assert _refresh(cloud_grant) is Outcome.REFUSED
        grants.seconds_pass(sandbox, 61)
    assert refresh.refresh_batch(list(_due_ids() & {other.pk})) == [Outcome.REFRESHED]
    grants.seconds_pass(sandbox, 61)
    sandbox.cloud.faults.add("token", "invalid_grant", times=1)
    assert _refresh(cloud_grant) is Outcome.DEAD


def test_no_witness_is_called_where_another_is_due_soon_by_itself(sandbox, cloud_grant):
    soon, idle = grants.copy_of(cloud_grant), grants.copy_of(cloud_grant)
    _rest(idle)
    Grant.objects.filter(pk=soon.pk).update(
        refresh_at=database_now() + timedelta(minutes=5)
    )
    _revoke(sandbox)
    for _ in range(2):
        assert _refresh(cloud_grant) is Outcome.REFUSED
        grants.seconds_pass(sandbox, 61)
    assert _due_ids() == set()


def test_f33_witnesses_of_a_mass_refusal_do_not_call_ever_more(sandbox, cloud_grant):
    everyone = [cloud_grant, *(grants.copy_of(cloud_grant) for _ in range(11))]
    _rest(*everyone)
    sandbox.cloud.faults.add("token", "invalid_grant")
    assert _refresh(cloud_grant) is Outcome.REFUSED
    for _ in range(30):
        grants.seconds_pass(sandbox, 61)
        refresh.refresh_batch(list(_due_ids()))
    assert not Grant.objects.exclude(status=Grant.Status.ACTIVE).exists()
    assert Grant.objects.filter(refusals__gt=0).count() <= 6


def test_a_dead_grant_is_never_called_again(sandbox, cloud_grant):
    Grant.objects.update(status=Grant.Status.RECONNECT_NEEDED)
    before = sandbox.cloud.statistics["request.token"]
    grants.make_due(cloud_grant)
    assert refresh.sweep(enqueue=pytest.fail) == 0
    assert refresh.refresh_batch([cloud_grant.pk]) == []
    assert refresh.refresh_now(grant_id=cloud_grant.pk) is Outcome.NOT_DUE
    assert sandbox.cloud.statistics["request.token"] == before


def test_f33_a_mass_refusal_kills_nobody_and_is_told_once(sandbox, cloud_grant):
    _another_succeeded(cloud_grant)
    everyone = [cloud_grant, *(grants.copy_of(cloud_grant) for _ in range(5))]
    sandbox.cloud.faults.add("token", "invalid_grant")
    outcomes = set()
    for _ in range(3):
        outcomes |= {_refresh(grant) for grant in everyone}
        grants.seconds_pass(sandbox, 61)
    assert outcomes == {Outcome.REFUSED}
    assert Event.objects.filter(kind=Event.Kind.MASS_REFUSAL).count() == 1
    assert not Grant.objects.exclude(status=Grant.Status.ACTIVE).exists()


def test_f33_nobody_dies_when_each_was_asked_as_often_as_an_hour_takes(
    sandbox, cloud_grant
):
    everyone = [cloud_grant, *(grants.copy_of(cloud_grant) for _ in range(5))]
    sandbox.cloud.faults.add("token", "invalid_grant")
    passed = 0.0
    while passed < 3600:
        assert {_refresh(grant) for grant in everyone} == {Outcome.REFUSED}
        seconds = max(map(_plan, everyone))
        grants.seconds_pass(sandbox, seconds)
        passed += seconds


def test_those_that_died_a_moment_ago_make_no_room_for_the_next(sandbox, cloud_grant):
    others = [grants.copy_of(cloud_grant) for _ in range(4)]
    _revoke(sandbox)
    assert _refresh(cloud_grant) is Outcome.REFUSED
    grants.seconds_pass(sandbox, 61)
    _another_succeeded(cloud_grant)
    Grant.objects.filter(pk__in=[other.pk for other in others]).update(
        status=Grant.Status.RECONNECT_NEEDED,
        refusals=2,
        last_refused_at=database_now(),
    )
    assert _refresh(cloud_grant) is Outcome.REFUSED


def test_what_is_past_its_own_end_dies_in_a_mass_refusal_too(sandbox, cloud_grant):
    everyone = [cloud_grant, *(grants.copy_of(cloud_grant) for _ in range(4))]
    Grant.objects.update(last_rotated_at=database_now() - timedelta(days=91))
    sandbox.cloud.faults.add("token", "invalid_grant")
    assert {_refresh(grant) for grant in everyone} == {Outcome.REFUSED}
    grants.seconds_pass(sandbox, 61)
    assert {_refresh(grant) for grant in everyone} == {Outcome.DEAD}


def test_f33_after_a_mass_refusal_everything_recovers_by_itself(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "invalid_grant", times=1)
    assert _refresh(cloud_grant) is Outcome.REFUSED
    grants.seconds_pass(sandbox, 61)
    assert _refresh(cloud_grant) is Outcome.REFRESHED
    assert grants.again(cloud_grant).refusals == 0


def test_f08_a_refusal_after_a_lost_answer_is_called_a_lost_rotation(
    sandbox, data_center_grant
):
    sandbox.data_center.faults.add("token", "drop_after", times=1)
    assert _refresh(data_center_grant) is Outcome.UNCERTAIN
    grants.seconds_pass(sandbox, 61)
    assert _refresh(data_center_grant) is Outcome.REFUSED
    _another_succeeded(data_center_grant)
    grants.seconds_pass(sandbox, 61)
    assert _refresh(data_center_grant) is Outcome.DEAD
    dead = grants.again(data_center_grant)
    assert dead.death_reason == Grant.DeathReason.ROTATION_LOST


def test_f07_inside_the_leeway_no_plan_lets_it_pass(sandbox, cloud_grant):
    Grant.objects.update(consecutive_failures=8)
    sandbox.cloud.faults.add("token", "unavailable", retry_after=3600)
    assert _refresh(cloud_grant) is Outcome.UNCERTAIN
    assert 30 <= _plan(cloud_grant) <= 120
    grants.seconds_pass(sandbox, 601)
    assert _refresh(cloud_grant) is Outcome.UNCERTAIN
    assert _plan(cloud_grant) == 3600


def test_without_a_leeway_there_is_nothing_to_hurry_for(sandbox, data_center_grant):
    sandbox.data_center.faults.add("token", "unavailable", retry_after=3600)
    assert _refresh(data_center_grant) is Outcome.UNCERTAIN
    assert _plan(data_center_grant) == 3600


def test_f02_a_lost_answer_is_repaired_inside_the_leeway(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "drop_after", times=1)
    assert _refresh(cloud_grant) is Outcome.UNCERTAIN
    uncertain = grants.again(cloud_grant)
    assert uncertain.uncertain_since is not None
    assert uncertain.refresh_at >= uncertain.last_error_at + timedelta(seconds=30)
    grants.seconds_pass(sandbox, 31)
    assert _refresh(cloud_grant) is Outcome.REFRESHED
    assert [family["breaches"] for family in sandbox.cloud.families()] == [0]


@pytest.mark.parametrize(
    ("column", "days", "reason"),
    [
        ("consented_at", 366, Grant.DeathReason.ABSOLUTE_EXPIRED),
        ("last_rotated_at", 91, Grant.DeathReason.IDLE_EXPIRED),
    ],
)
def test_f39_a_limit_that_was_reached_is_the_reason(
    sandbox, cloud_grant, column, days, reason
):
    Grant.objects.update(**{column: database_now() - timedelta(days=days)})
    _revoke(sandbox)
    _refresh(cloud_grant)
    _another_succeeded(cloud_grant)
    grants.seconds_pass(sandbox, 61)
    assert _refresh(cloud_grant) is Outcome.DEAD
    assert grants.again(cloud_grant).death_reason == reason


def test_v06_a_missing_key_is_no_death_and_the_grant_comes_back_with_it(
    sandbox, cloud_grant, settings
):
    keys = settings.CONFLUENCE_LINK_VAULT_KEYS
    settings.CONFLUENCE_LINK_VAULT_KEYS = keys[1:]
    assert _refresh(cloud_grant) is Outcome.UNDECRYPTABLE
    assert grants.again(cloud_grant).last_error == "key_missing"
    settings.CONFLUENCE_LINK_VAULT_KEYS = keys
    assert _refresh(cloud_grant) is Outcome.REFRESHED


def test_a_failure_of_a_lease_that_was_taken_over_changes_nothing(cloud_grant):
    from uuid import uuid4

    from confluence_link.refresh import verdict
    from confluence_link.refresh.exchange import Failure

    dead = verdict.grant_failed(
        grant=cloud_grant, lease_id=uuid4(), failure=Failure("uncertain", "timeout")
    )
    assert dead is False
    assert grants.again(cloud_grant).last_error == ""
