"""Celery's entry points: what they put on the wire, and what they set going."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.db.models import F

from accounts.models import Invitation
from config.celery_app import app
from confluence_link import events, tasks
from confluence_link.models import (
    Event,
    Grant,
    LinkInvitation,
    OAuthAppHealth,
    PendingLink,
    SealedTokenSet,
    ServerSetup,
    UsedState,
    database_now,
)
from confluence_link.refresh import due
from confluence_link.tokens import TokenSet
from tests import factories, grants

REFRESHED = "exchange.refresh_token.ok"


@pytest.fixture
def wire():
    """What lies at the broker for Cloud; taking it leaves nothing there."""
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(tasks.CLOUD_QUEUE)
        queue.clear()

        def take():
            taken = []
            while queue.qsize():
                message = queue.get(block=False)
                message.ack()
                taken.append(message)
            return taken

        yield take
        queue.close()


def run(message):
    """What a worker would do with it."""
    args, kwargs, _ = message.payload
    return app.tasks[message.headers["task"]](*args, **kwargs)


def test_a_sweep_that_finds_nothing_sends_nothing(cloud_grant, wire):
    tasks.sweep()

    assert wire() == []


def test_v12_a_sweep_sends_ids_and_nothing_else(cloud_grant, wire):
    grants.make_due(cloud_grant)

    tasks.sweep()

    (message,) = wire()
    assert message.headers["task"] == "confluence_link.tasks.refresh_batch"
    args, kwargs, _ = message.payload
    assert (args, kwargs) == ([[cloud_grant.pk]], {})
    assert message.content_type == "application/json"
    assert "CNRY" not in json.dumps([message.headers, message.payload])


def test_f12_no_batch_expires_by_the_clock_of_whoever_takes_it(cloud_grant, wire):
    grants.make_due(cloud_grant)

    tasks.sweep()

    (message,) = wire()
    assert message.headers["expires"] is None


def test_f12_a_batch_of_long_ago_refreshes_nothing(sandbox, cloud_grant, wire):
    """The next sweep hands its grants out, and they are not exchanged beside those."""
    grants.make_due(cloud_grant)
    tasks.sweep()
    (message,) = wire()
    grants.seconds_pass(sandbox, due.MESSAGE_SECONDS + 1)

    run(message)
    assert sandbox.cloud.statistics[REFRESHED] == 0
    tasks.sweep()
    run(*wire())
    assert sandbox.cloud.statistics[REFRESHED] == 1


@pytest.mark.parametrize("late_seconds", [0, due.QUEUED_SECONDS + 1])
def test_f12_a_batch_that_is_a_little_late_is_refreshed(
    sandbox, cloud_grant, wire, late_seconds
):
    grants.make_due(cloud_grant)
    tasks.sweep()
    grants.seconds_pass(sandbox, late_seconds)

    run(*wire())

    assert sandbox.cloud.statistics[REFRESHED] == 1


def test_f30_a_probe_that_was_marked_long_ago_is_sent_and_refreshed(
    sandbox, cloud_grant, wire
):
    """Its batch came while the app paused, so that nobody leased it."""
    grants.make_due(cloud_grant)
    now = database_now()
    Grant.objects.update(queued_until=now - timedelta(minutes=3))
    OAuthAppHealth.objects.create(oauth_app=cloud_grant.oauth_app, openings=2)

    tasks.sweep()
    run(*wire())

    assert grants.again(cloud_grant).generation == 2


def test_f19_no_more_is_sent_to_a_queue_that_is_full(
    sandbox, cloud_grant, wire, monkeypatch, caplog
):
    """Its worker has been away for long; then everything goes on as before."""
    monkeypatch.setattr(tasks, "WAITING_AT_MOST", 3)
    monkeypatch.setattr(due, "BATCH", 1)
    grants.make_due(cloud_grant)
    grants.copy_of(cloud_grant)
    for _ in range(3):
        tasks.sweep()
        grants.seconds_pass(sandbox, due.QUEUED_SECONDS + 1)

    assert len(wire()) == 3
    # Twice, however many batches there were.
    assert caplog.text.count("queue cloud is full") == 2
    tasks.sweep()
    for message in wire():
        run(message)
    assert sandbox.cloud.statistics[REFRESHED] == 2


def test_many_due_grants_are_sent_in_batches(cloud_grant, wire, monkeypatch):
    monkeypatch.setattr("confluence_link.refresh.due.BATCH", 2)
    ids = {grants.copy_of(cloud_grant).pk for _ in range(4)} | {cloud_grant.pk}
    Grant.objects.update(refresh_at=F("refresh_at") - timedelta(hours=2))

    tasks.sweep()

    batches = [message.payload[0][0] for message in wire()]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert {grant for batch in batches for grant in batch} == ids


def test_a_batch_refreshes_what_it_names(sandbox, cloud_grant, wire, caplog):
    grants.make_due(cloud_grant)
    tasks.sweep()
    (message,) = wire()

    run(message)

    assert grants.again(cloud_grant).generation == 2
    assert sandbox.cloud.statistics[REFRESHED] == 1
    assert "batch asked=1 done={'refreshed': 1}" in caplog.text


def test_f15_a_batch_that_is_delivered_twice_refreshes_once(sandbox, cloud_grant, wire):
    grants.make_due(cloud_grant)
    tasks.sweep()
    (message,) = wire()

    run(message)
    run(message)

    assert sandbox.cloud.statistics[REFRESHED] == 1


def test_a_batch_of_grants_that_are_gone_does_nothing(db, wire):
    tasks.refresh_batch([12345])

    assert wire() == []


def test_purging_erases_what_was_pending_for_too_long(
    sandbox, cloud_app, alice, organization
):
    pending = PendingLink.objects.create(
        user=alice,
        organization=organization,
        oauth_app=cloud_app,
        sealed_token_set=b"",
        expires_in_seconds=60,
        created_at=database_now() - timedelta(minutes=16),
    )
    UsedState.objects.create(state_hash="x", used_at=database_now() - timedelta(2))

    tasks.purge()

    assert not PendingLink.objects.filter(pk=pending.pk).exists()
    assert not UsedState.objects.exists()


@pytest.mark.parametrize("days_ago", [29, 31])
def test_purging_forgets_mailed_links_a_month_after_they_expired(
    days_ago, alice, organization
):
    expired = database_now() - timedelta(days=days_ago)
    mailed = {
        "organization": organization,
        "invited_by": alice,
        "created_at": expired,
        "expires_at": expired,
        "token_hash": "x",
    }
    app = factories.make_oauth_app()
    Invitation.objects.create(**mailed)
    LinkInvitation.objects.create(user=alice, oauth_app=app, **mailed)
    ServerSetup.objects.create(oauth_app=app, **mailed)

    tasks.purge()

    for kind in (Invitation, LinkInvitation, ServerSetup):
        assert kind.objects.exists() == (days_ago == 29)


def test_predecessors_whose_leeway_is_over_are_purged(cloud_grant):
    sealed = SealedTokenSet.objects.filter(grant=cloud_grant)
    sealed.update(previous_refresh=b"old", previous_until=database_now())

    tasks.purge()

    assert bytes(sealed.get().previous_refresh) == b""


def test_notices_are_sent(cloud_grant, alice):
    Event.objects.all().delete()
    Grant.objects.update(status=Grant.Status.RECONNECT_NEEDED)
    events.record(Event.Kind.RECONNECT_NEEDED, grant=cloud_grant, reason="revoked")

    tasks.send_notices()

    assert [message.to for message in mail.outbox] == [[alice.email]]


def test_accounts_are_reported(sandbox, cloud_app, alice, organization, caplog):
    cloud_app.scopes = [*cloud_app.scopes, "report:personal-data"]
    grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)

    tasks.report_accounts()
    tasks.report_accounts()

    assert len(sandbox.cloud.reported) == 1
    assert caplog.text.count("accounts [('reported', 1)]") == 1


def test_v10_a_task_that_fails_shows_no_token(caplog):
    @app.task(name="tests.failing", shared=False)
    def failing():
        held = TokenSet("CNRY-access", "CNRY-refresh", 60, None)
        raise RuntimeError(f"no luck with {held}")

    failing.apply()

    assert "RuntimeError: no luck with TokenSet(" in caplog.text
    assert "CNRY" not in caplog.text


def test_accounts_are_not_reported_at_the_top_of_the_hour():
    (minute,) = app.conf.beat_schedule["report-accounts"]["schedule"].minute

    assert 5 < minute < 55
    assert minute % 5


@pytest.mark.parametrize("name", app.conf.beat_schedule)
def test_f12_beat_sends_known_tasks_that_do_not_expire(name):
    entry = app.conf.beat_schedule[name]

    assert entry["task"] in app.tasks
    assert "options" not in entry
    assert "args" not in entry


def test_every_task_of_ours_is_sent_by_beat_or_by_a_sweep():
    ours = {name for name in app.tasks if name.startswith("confluence_link.")}
    by_beat = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert ours - by_beat == {"confluence_link.tasks.refresh_batch"}


def test_f20_messages_are_json_and_results_are_not_kept():
    assert app.conf.task_serializer == "json"
    assert list(app.conf.accept_content) == ["json"]
    assert app.conf.result_backend is None
    assert app.conf.task_ignore_result
    assert app.conf.task_acks_late
    assert app.conf.worker_prefetch_multiplier == 1


# T15: messages are hints, and a wrong one does nothing
# ------------------------------------------------------------------------------
def test_t15_a_message_with_a_foreign_grant_refreshes_nothing(
    cloud_grant, sandbox, caplog
):
    """No message says for whom or for which consent: the row alone decides."""
    before = Grant.objects.values().get(), grants.tokens(cloud_grant)
    tasks.refresh_batch([cloud_grant.pk, cloud_grant.pk, 987_654_321, -1])
    assert sandbox.cloud.statistics[REFRESHED] == 0
    assert (Grant.objects.values().get(), grants.tokens(cloud_grant)) == before
    assert "batch asked=4 done={}" in caplog.text


def test_t15_a_message_for_an_earlier_consent_refreshes_nothing(
    alice, cloud_app, cloud_grant, organization, sandbox, wire
):
    grants.make_due(cloud_grant)
    tasks.sweep()
    (message,) = wire()
    grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    run(message)
    assert sandbox.cloud.statistics[REFRESHED] == 0
    assert grants.again(cloud_grant).epoch == 2


@pytest.mark.parametrize("status", ["unlinked", "paused", "reconnect_needed"])
def test_t15_a_message_for_what_ended_meanwhile_refreshes_nothing(
    cloud_grant, sandbox, wire, status
):
    grants.make_due(cloud_grant)
    tasks.sweep()
    (message,) = wire()
    Grant.objects.update(status=status)
    run(message)
    assert sandbox.cloud.statistics[REFRESHED] == 0
