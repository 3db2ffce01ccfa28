"""What failures and successes mean for the app."""

from __future__ import annotations

from datetime import timedelta

from confluence_link import refresh
from confluence_link.models import Event, Grant, OAuthAppHealth, database_now
from confluence_link.refresh import Outcome, breaker
from confluence_link.refresh.exchange import Failure
from tests import grants


def _refresh(grant):
    Grant.objects.filter(pk=grant.pk).update(refresh_at=database_now())
    return refresh.refresh_batch([grant.pk])[0]


def _health():
    return OAuthAppHealth.objects.get()


def _swept():
    batches: list[list[int]] = []
    refresh.sweep(enqueue=batches.append)
    return [pk for batch in batches for pk in batch]


def test_five_failures_in_a_row_pause_the_app(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "server_error")
    for _ in range(5):
        assert _refresh(cloud_grant) is Outcome.UNCERTAIN
    assert _health().is_paused(database_now())
    grants.make_due(cloud_grant)
    assert _swept() == []
    assert refresh.refresh_now(grant_id=cloud_grant.pk) is Outcome.NOT_DUE


def test_after_the_pause_one_probe_goes_out_and_a_failure_doubles_the_pause(
    sandbox, cloud_grant
):
    others = [grants.copy_of(cloud_grant) for _ in range(3)]
    sandbox.cloud.faults.add("token", "server_error")
    for _ in range(5):
        _refresh(cloud_grant)
    grants.seconds_pass(sandbox, 31)
    for grant in (cloud_grant, *others):
        grants.make_due(grant)
    (probe,) = _swept()
    assert _refresh(grants.again(Grant(pk=probe))) is Outcome.UNCERTAIN
    pause = _health().paused_until - database_now()
    assert timedelta(seconds=55) < pause <= timedelta(seconds=60)


def test_pauses_grow_only_after_the_leeway_so_that_lost_answers_are_not_lost_for_good(
    cloud_app,
):
    pauses = []
    for _ in range(13):
        OAuthAppHealth.objects.update(
            paused_until=None, consecutive_failures=breaker.FAILURES_TO_OPEN
        )
        now = database_now()
        failure = Failure("uncertain", "timeout")
        for _ in range(breaker.FAILURES_TO_OPEN):
            breaker.app_answered(cloud_app, failure, now=now)
        pauses.append((_health().paused_until - now).total_seconds())
    assert pauses == [30, *[60] * 8, 120, 240, 300, 300]
    # A probe goes out with the sweep after a pause: half a minute later at most.
    assert sum(pause + 30 for pause in pauses[:9]) > 600


def test_a_waiting_grant_is_probed_although_its_own_backoff_is_longer(
    sandbox, cloud_grant
):
    sandbox.cloud.faults.add("token", "server_error")
    for _ in range(5):
        _refresh(cloud_grant)
    grants.seconds_pass(sandbox, 31)
    Grant.objects.update(refresh_at=database_now() + timedelta(minutes=50))
    assert _swept() == [cloud_grant.pk]


def _opened(sandbox, grant, *, seconds_ago):
    """Its breaker opened, and the pause is over."""
    sandbox.cloud.faults.add("token", "server_error")
    for _ in range(5):
        _refresh(grant)
    grants.seconds_pass(sandbox, seconds_ago)
    Grant.objects.update(refresh_at=database_now() + timedelta(minutes=50))


def test_there_is_one_probe_at_a_time(sandbox, cloud_grant):
    _opened(sandbox, cloud_grant, seconds_ago=31)
    assert _swept() == [cloud_grant.pk]
    assert _swept() == []


def test_what_failed_a_moment_ago_is_no_probe(sandbox, cloud_grant):
    _opened(sandbox, cloud_grant, seconds_ago=31)
    Grant.objects.update(last_error_at=database_now() - timedelta(seconds=5))
    assert _swept() == []


def test_what_was_refused_is_no_probe_because_its_answer_tells_nothing(
    sandbox, cloud_grant
):
    _opened(sandbox, cloud_grant, seconds_ago=31)
    Grant.objects.update(refusals=1)
    assert _swept() == []


def test_a_refused_one_that_is_due_is_the_probe_where_there_is_no_other(
    sandbox, cloud_grant
):
    _opened(sandbox, cloud_grant, seconds_ago=31)
    Grant.objects.update(refusals=1, refresh_at=database_now())
    assert _swept() == [cloud_grant.pk]
    sandbox.cloud.faults.clear()
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]
    assert _health().openings == 0


def test_f32_a_grant_that_met_wrong_settings_is_a_probe_too(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "wrong_secret")
    _refresh(cloud_grant)
    grants.seconds_pass(sandbox, 31)
    Grant.objects.update(refresh_at=database_now() + timedelta(minutes=50))
    assert _swept() == [cloud_grant.pk]


def test_f32_one_grant_with_wrong_settings_gives_way_to_the_others(
    sandbox, cloud_grant
):
    sandbox.cloud.faults.add("token", "wrong_secret")
    Grant.objects.update(attempt=8)
    waits = []
    for _ in range(8):
        _refresh(cloud_grant)
        failed = grants.again(cloud_grant)
        waits.append(failed.refresh_at - failed.last_error_at)
        grants.seconds_pass(sandbox, 301)
    assert max(waits) > timedelta(seconds=15)


def test_recovery_lets_nobody_try_within_the_gap_of_its_own_failure(
    sandbox, cloud_grant
):
    other = grants.copy_of(cloud_grant)
    _opened(sandbox, cloud_grant, seconds_ago=31)
    Grant.objects.filter(pk=other.pk).update(
        last_error="timeout", last_error_at=database_now() - timedelta(seconds=5)
    )
    sandbox.cloud.faults.clear()
    assert _refresh(cloud_grant) is Outcome.REFRESHED
    assert grants.again(other).refresh_at > database_now() + timedelta(minutes=40)


def test_recovery_does_not_hurry_what_was_refused(sandbox, cloud_grant):
    other = grants.copy_of(cloud_grant)
    _opened(sandbox, cloud_grant, seconds_ago=31)
    Grant.objects.filter(pk=other.pk).update(
        last_error="invalid_grant",
        last_error_at=database_now() - timedelta(minutes=5),
        refusals=1,
    )
    sandbox.cloud.faults.clear()
    assert _refresh(cloud_grant) is Outcome.REFRESHED
    assert grants.again(other).refresh_at > database_now() + timedelta(minutes=40)


def test_f31_a_shorter_rate_limit_does_not_shorten_a_longer_one(cloud_grant):
    for seconds in (600, 5):
        breaker.app_answered(
            cloud_grant.oauth_app,
            Failure("busy", "rate_limited", retry_after_seconds=seconds),
            now=database_now(),
        )
    assert _health().is_paused(database_now() + timedelta(seconds=590))


def test_f31_a_success_that_was_under_way_ends_no_rate_limit(cloud_grant):
    breaker.app_answered(
        cloud_grant.oauth_app,
        Failure("busy", "rate_limited", retry_after_seconds=600),
        now=database_now(),
    )
    breaker.app_succeeded(cloud_grant.oauth_app, now=database_now())
    assert _health().is_paused(database_now() + timedelta(seconds=590))


def test_recovery_closes_the_breaker_and_lets_the_others_try_within_a_minute(
    sandbox, cloud_grant
):
    other = grants.copy_of(cloud_grant)
    sandbox.cloud.faults.add("token", "server_error", times=5)
    for _ in range(4):
        _refresh(cloud_grant)
    _refresh(other)
    Grant.objects.update(refresh_at=database_now() + timedelta(minutes=50))
    grants.seconds_pass(sandbox, 31)
    assert _refresh(cloud_grant) is Outcome.REFRESHED
    assert not grants.again(cloud_grant).oauth_app.has_trouble
    wait = grants.again(other).refresh_at - database_now()
    assert wait < timedelta(minutes=1)


def test_f31_a_rate_limit_pauses_the_whole_app_for_as_long_as_it_says(
    sandbox, cloud_grant
):
    sandbox.cloud.faults.add("token", "rate_limited", retry_after=600, times=1)
    other = grants.copy_of(cloud_grant)
    assert _refresh(cloud_grant) is Outcome.BUSY
    assert grants.again(cloud_grant).has_trouble is False
    grants.make_due(other)
    grants.seconds_pass(sandbox, 590)
    assert _swept() == []
    grants.seconds_pass(sandbox, 15)
    assert other.pk in _swept()


def test_f32_a_wrong_client_secret_pauses_at_once_tells_operators_and_touches_no_grant(
    sandbox, cloud_grant
):
    sandbox.cloud.faults.add("token", "wrong_secret", times=2)
    assert _refresh(cloud_grant) is Outcome.CONFIGURATION
    assert _health().configuration_refused_since is not None
    assert grants.again(cloud_grant).consecutive_failures == 0
    grants.seconds_pass(sandbox, 31)
    assert _refresh(cloud_grant) is Outcome.CONFIGURATION
    told = Event.objects.get(kind=Event.Kind.CONFIGURATION_REFUSED)
    assert told.notice == Event.Notice.PENDING


def test_f32_the_right_secret_heals_everything_without_the_users(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "wrong_secret", times=1)
    _refresh(cloud_grant)
    grants.seconds_pass(sandbox, 31)
    assert _refresh(cloud_grant) is Outcome.REFRESHED
    assert _health().configuration_refused_since is None
    assert Event.objects.filter(kind=Event.Kind.CONFIGURATION_ACCEPTED).exists()


def test_refused_connections_count_for_the_app_and_clear_the_intent(
    sandbox, cloud_grant, settings
):
    settings.CONFLUENCE_CLOUD_TOKEN_URL = "http://127.0.0.1:9/oauth/token"
    assert _refresh(cloud_grant) is Outcome.NOT_SENT
    assert grants.again(cloud_grant).uncertain_since is None
    assert _health().consecutive_failures == 1


def test_a_firewall_s_page_is_transient(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "blocked", times=1)
    assert _refresh(cloud_grant) is Outcome.BLOCKED
    assert grants.again(cloud_grant).status == Grant.Status.ACTIVE


def test_a_success_is_not_written_for_every_grant(sandbox, cloud_grant):
    grants.make_due(cloud_grant)
    _refresh(cloud_grant)
    first = _health().last_success_at
    grants.make_due(cloud_grant)
    _refresh(cloud_grant)
    assert _health().last_success_at == first
