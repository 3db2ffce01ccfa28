"""Every stored account is reported once per cycle, whatever happens on the way."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection

from confluence_link import personal_data
from confluence_link.models import Event, Grant, OAuthApp, database_now
from confluence_link.personal_data import claim, report
from tests import factories, grants
from tests.confluence_link.personal_data.conftest import ALICE_ID, BOB_ID

DAY = 24 * 3600
HOUR = 3600
CALLS = "request.report"


def next_run(sandbox):
    """The run of the next hour; counters of the cache live no longer than that."""
    grants.seconds_pass(sandbox, HOUR)
    cache.clear()
    return personal_data.report_accounts()


# --- what is reported -----------------------------------------------------------


def test_an_account_is_reported_with_when_it_was_read(sandbox, grant):
    assert personal_data.report_accounts() == {"reported": 1}

    (entry,) = sandbox.cloud.reported
    assert entry["accountId"] == ALICE_ID
    read_at = grants.again(grant).account_read_at
    assert read_at - datetime.fromisoformat(entry["updatedAt"]) < timedelta(seconds=1)


def test_where_no_reading_is_known_the_consent_counts(sandbox, grant, store):
    stored = store("a", account_read_at=None)

    personal_data.report_accounts()

    dates = {one["accountId"]: one["updatedAt"] for one in sandbox.cloud.reported}
    told = datetime.fromisoformat(dates["a"])
    assert stored.consented_at - told < timedelta(seconds=1)


def test_ninety_one_accounts_make_two_calls(sandbox, grant, store, reported):
    for number in range(90):
        store(f"account-{number}")

    assert personal_data.report_accounts()["reported"] == 91

    assert sandbox.cloud.statistics[CALLS] == 2
    assert len(reported()) == len(set(reported())) == 91


def test_an_account_is_reported_once_per_cycle(sandbox, grant, reported):
    personal_data.report_accounts()
    grants.seconds_pass(sandbox, 7 * DAY - 60)
    assert personal_data.report_accounts() == {}

    grants.seconds_pass(sandbox, 61)

    assert personal_data.report_accounts() == {"reported": 1}
    assert reported() == [ALICE_ID] * 2


def test_several_grants_of_one_account_are_one_entry_with_the_oldest_date(
    sandbox, grant, store, bob, carol, reported
):
    now = database_now()
    unlinked = {"status": Grant.Status.UNLINKED, "account_name": ""}
    store(ALICE_ID, user=bob, account_read_at=now - timedelta(days=3), **unlinked)
    store(ALICE_ID, user=carol, account_read_at=now - timedelta(days=2), **unlinked)

    personal_data.report_accounts()

    assert reported() == [ALICE_ID]
    told = datetime.fromisoformat(sandbox.cloud.reported[0]["updatedAt"])
    assert abs(told - (now - timedelta(days=3))) < timedelta(seconds=1)
    assert not Grant.objects.filter(account_reported_at=None).exists()


def test_a_new_grant_of_an_account_waits_for_its_cycle(
    sandbox, grant, store, bob, reported
):
    personal_data.report_accounts()

    store(ALICE_ID, user=bob, status=Grant.Status.UNLINKED)

    assert personal_data.report_accounts() == {}


def test_each_app_reports_for_itself(
    sandbox, grant, app, bob, other_organization, reported
):
    other = factories.make_oauth_app(
        provider_id="cloud-2",
        client_id=app.client_id,
        client_secret=sandbox.cloud.client.secrets[0],
        scopes=app.scopes,
    )
    sandbox.cloud.register_redirect_uri(other.redirect_uri)
    grants.link_cloud(sandbox, other, user=bob, organization=other_organization)

    personal_data.report_accounts()

    assert reported() == [ALICE_ID] * 2
    assert sandbox.cloud.statistics[CALLS] == 2


def test_unlinked_accounts_are_reported_while_their_id_is_stored(
    grant, store, reported
):
    store("a", status=Grant.Status.UNLINKED, account_name="")

    personal_data.report_accounts()

    assert sorted(reported()) == sorted([ALICE_ID, "a"])


def test_erased_and_unknown_accounts_are_never_sent(grant, store, reported):
    store("unknown")
    personal_data.erase(account_id=store("a").account_id)

    personal_data.report_accounts()

    assert reported() == [ALICE_ID]


def test_accounts_of_data_center_are_not_atlassians_business(
    sandbox, data_center_grant
):
    assert personal_data.report_accounts() == {}

    assert sandbox.cloud.statistics[CALLS] == 0
    assert not Event.objects.filter(kind=Event.Kind.REPORTING_REFUSED).exists()


def test_logs_have_counts_and_no_account(sandbox, grant, store, caplog):
    store("an-account-without-a-grant")
    sandbox.cloud.set_account_status("alice", "updated")
    sandbox.cloud.set_account_status("an-account-without-a-grant", "closed")
    sandbox.cloud.faults.add("report", "rate_limited", times=1)

    personal_data.report_accounts()
    next_run(sandbox)

    assert "accounts=2 error=RateLimited" in caplog.text
    assert ALICE_ID not in caplog.text
    assert "Alice" not in caplog.text
    assert "an-account" not in caplog.text


# --- the cycle ------------------------------------------------------------------


def test_the_answers_cycle_goes_before_ours(sandbox, grant, app):
    sandbox.cloud.behaviour.change({"report_cycle": "P14D"})
    personal_data.report_accounts()
    app.refresh_from_db()
    assert app.reporting_cycle_seconds == 14 * DAY

    grants.seconds_pass(sandbox, 13 * DAY)
    assert personal_data.report_accounts() == {}

    grants.seconds_pass(sandbox, 2 * DAY)
    assert personal_data.report_accounts() == {"reported": 1}


def test_an_unreadable_cycle_changes_nothing(sandbox, grant, app):
    sandbox.cloud.behaviour.change({"report_cycle": "weekly"})

    personal_data.report_accounts()

    app.refresh_from_db()
    assert app.reporting_cycle_seconds == 7 * DAY


# --- the token ------------------------------------------------------------------


def test_without_a_live_consent_to_report_nothing_is_sent_and_it_is_told(
    sandbox, cloud_grant, caplog
):
    assert personal_data.report_accounts() == {}

    assert sandbox.cloud.statistics[CALLS] == 0
    event = Event.objects.get(kind=Event.Kind.REPORTING_REFUSED)
    assert (event.oauth_app, event.facts) == (
        cloud_grant.oauth_app,
        {"reason": "no_scope"},
    )
    assert OAuthApp.objects.get().reporting_refused_at is not None
    assert grants.again(cloud_grant).account_reported_at is None
    assert "reason=no_scope" in caplog.text


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_told(sandbox, grant, status):
    sandbox.cloud.faults.add("report", "unauthorized", status=status)

    assert personal_data.report_accounts() == {}

    event = Event.objects.get(kind=Event.Kind.REPORTING_REFUSED)
    assert event.facts == {"reason": "refused"}
    assert list(personal_data.unreported_apps()) == [grant.oauth_app]


def test_a_refusal_is_told_once_a_week(sandbox, cloud_grant):
    told = Event.objects.filter(kind=Event.Kind.REPORTING_REFUSED)
    for _ in range(3):
        next_run(sandbox)
    assert told.count() == 1

    grants.seconds_pass(sandbox, 7 * DAY)
    personal_data.report_accounts()

    assert told.count() == 2


def test_a_report_that_is_taken_ends_the_trouble(sandbox, grant):
    sandbox.cloud.faults.add("report", "unauthorized", times=1)
    personal_data.report_accounts()

    assert next_run(sandbox) == {"reported": 1}

    assert not personal_data.unreported_apps().exists()
    assert OAuthApp.objects.get().reporting_refused_at is None


def test_where_nothing_is_stored_any_more_there_is_no_trouble(cloud_grant):
    personal_data.report_accounts()
    assert personal_data.unreported_apps().exists()

    personal_data.erase(account_id=ALICE_ID)

    assert not personal_data.unreported_apps().exists()


@pytest.fixture
def second_grant(sandbox, app, bob, other_organization):
    return grants.link_cloud(
        sandbox,
        app,
        user=bob,
        organization=other_organization,
        account="bob",
        site="riverside",
    )


def test_a_consent_without_usable_tokens_is_passed_over(
    sandbox, grant, second_grant, reported
):
    second_grant.sealed_token_set.delete()

    assert personal_data.report_accounts()["reported"] == 2
    assert set(reported()) == {ALICE_ID, BOB_ID}


def test_after_one_refused_token_another_is_tried(sandbox, grant, second_grant):
    sandbox.cloud.faults.add("report", "unauthorized", times=1)

    assert personal_data.report_accounts()["reported"] == 2
    assert not personal_data.unreported_apps().exists()


def test_where_every_token_is_away_for_now_nobody_is_alarmed(sandbox, grant, caplog):
    grant.sealed_token_set.delete()

    assert personal_data.report_accounts() == {}

    assert sandbox.cloud.statistics[CALLS] == 0
    assert not personal_data.unreported_apps().exists()
    assert "error=TokenUnavailable" in caplog.text


def test_an_expired_token_is_refreshed_on_the_way(sandbox, grant):
    grants.seconds_pass(sandbox, 2 * HOUR)

    assert personal_data.report_accounts() == {"reported": 1}
    assert grants.again(grant).generation == 2


# --- trouble on the way ---------------------------------------------------------


@pytest.fixture
def hundred(grant, store):
    """A hundred accounts: the second call has ten."""
    for number in range(99):
        store(f"account-{number}")


def in_the_second_call(sandbox, preset, **options):
    sandbox.cloud.faults.add("report", "slow", seconds=0, times=1)
    sandbox.cloud.faults.add("report", preset, times=1, **options)


@pytest.mark.parametrize("preset", ["rate_limited", "unavailable"])
def test_after_a_request_for_patience_the_next_run_goes_on_where_it_stopped(
    sandbox, hundred, reported, preset
):
    in_the_second_call(sandbox, preset, retry_after="1800")
    assert personal_data.report_accounts() == {"reported": 90}

    assert next_run(sandbox) == {"reported": 10}

    assert sandbox.cloud.statistics[CALLS] == 3
    assert len(reported()) == len(set(reported())) == 100


def test_before_retry_after_is_over_nothing_is_sent(sandbox, hundred):
    in_the_second_call(sandbox, "rate_limited", retry_after="1800")
    personal_data.report_accounts()
    grants.seconds_pass(sandbox, 1000)

    assert personal_data.report_accounts() == {}

    assert sandbox.cloud.statistics[CALLS] == 2


@pytest.mark.parametrize("preset", ["server_error", "drop_before", "login_page"])
def test_an_outage_costs_no_account(sandbox, hundred, reported, preset):
    in_the_second_call(sandbox, preset)
    assert personal_data.report_accounts() == {"reported": 90}

    assert next_run(sandbox) == {"reported": 10}
    assert len(reported()) == len(set(reported())) == 100


def test_a_lost_answer_is_asked_for_again(sandbox, grant, reported):
    sandbox.cloud.set_account_status("alice", "closed")
    sandbox.cloud.faults.add("report", "drop_after", times=1)
    personal_data.report_accounts()

    next_run(sandbox)

    assert reported() == [ALICE_ID] * 2
    assert Grant.objects.get().account_name == ""


def test_what_is_called_malformed_is_not_sent_again_for_a_day(sandbox, grant, caplog):
    sandbox.cloud.faults.add("report", "custom", status=400, body="{}")
    personal_data.report_accounts()

    for _ in range(3):
        next_run(sandbox)
    assert sandbox.cloud.statistics[CALLS] == 1
    assert "accounts=1 error=Rejected" in caplog.text

    sandbox.cloud.faults.clear()
    grants.seconds_pass(sandbox, DAY)
    assert personal_data.report_accounts() == {"reported": 1}


def test_a_crash_after_the_claim_loses_no_account(sandbox, grant, app, reported):
    assert list(claim.claim(app)) == [ALICE_ID]
    assert personal_data.report_accounts() == {}

    grants.seconds_pass(sandbox, 15 * 60)

    assert personal_data.report_accounts() == {"reported": 1}


def test_a_run_without_time_leaves_everything_to_the_next(
    sandbox, grant, monkeypatch, reported
):
    monkeypatch.setattr(report, "RUN_SECONDS", 0)
    assert personal_data.report_accounts() == {}
    monkeypatch.undo()

    assert personal_data.report_accounts() == {"reported": 1}


def test_who_was_updated_when_the_time_is_over_is_reported_again(
    sandbox, grant, monkeypatch
):
    sandbox.cloud.rename("alice", "Alice Brown")
    sandbox.cloud.faults.add("report", "slow", seconds=0.3, times=1)
    monkeypatch.setattr(report, "RUN_SECONDS", 0.2)
    assert personal_data.report_accounts() == {"reported": 1}
    assert grants.again(grant).account_name == "Alice Adams"
    monkeypatch.undo()

    assert next_run(sandbox) == {"reported": 1, "updated": 1}
    assert grants.again(grant).account_name == "Alice Brown"


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_report_each_account_once(sandbox, hundred, reported):
    together = threading.Barrier(4)

    def run():
        together.wait()
        try:
            return personal_data.report_accounts()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(run) for _ in range(4)]
        counts = sum((one.result() for one in runs), Counter())

    assert counts == {"reported": 100}
    assert len(reported()) == len(set(reported())) == 100
