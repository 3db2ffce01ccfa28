"""One server that hangs or moved costs the others nothing, and no grant."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from config.run.ports import free_port
from confluence_link import refresh
from confluence_link.models import Event, Grant, OAuthApp, OAuthAppHealth, database_now
from confluence_link.refresh import Outcome, breaker, cycle, due, exchange
from tests import factories, grants
from tests.confluence_link.http.servers import Server

HANGING_SECONDS = 2


def at_server(grant, base_url):
    """The same grant at a server somewhere else."""
    OAuthApp.objects.filter(pk=grant.oauth_app_id).update(base_url=base_url)
    grants.make_due(grant)


@pytest.fixture
def other_grant(sandbox, cloud_app, bob, other_organization):
    """Of another tenant."""
    grant = grants.link_cloud(
        sandbox, cloud_app, user=bob, organization=other_organization
    )
    grants.make_due(grant)
    return grant


@pytest.fixture
def hanging():
    """Takes every request and says nothing."""

    def handle(peer):
        peer.read_request()
        peer.server.stopping.wait(60)

    with Server(handle) as server:
        yield server


def test_s04_a_server_that_moved_inside_costs_no_grant(data_center_grant, settings):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []
    settings.CONFLUENCE_LINK_ALLOW_HTTP = False
    for _ in range(breaker.FAILURES_TO_OPEN + 2):
        at_server(data_center_grant, "https://10.20.30.40/wiki")
        assert refresh.refresh_batch([data_center_grant.pk]) in ([Outcome.NOT_SENT], [])

    row = Grant.objects.get()
    assert (row.status, row.last_error) == (Grant.Status.ACTIVE, "blocked")
    assert (row.refusals, row.uncertain_since) == (0, None)
    assert OAuthAppHealth.objects.get().is_paused(database_now())


def test_r06_a_server_that_hangs_keeps_nobody_elses_tokens_waiting(
    data_center_grant, other_grant, hanging, monkeypatch
):
    """The answers of others are stored while its own exchange is still awaited."""
    monkeypatch.setattr(exchange, "EXCHANGE_SECONDS", HANGING_SECONDS)
    at_server(data_center_grant, hanging.url(path="/wiki"))
    # So that the record tells when its answer was stored.
    Grant.objects.filter(pk=other_grant.pk).update(consecutive_failures=1)

    outcomes = refresh.refresh_batch([data_center_grant.pk, other_grant.pk])

    assert outcomes == [Outcome.REFRESHED, Outcome.UNCERTAIN]
    refreshed = Event.objects.get(kind=Event.Kind.RECOVERED)
    failed = Event.objects.get(kind=Event.Kind.REFRESH_FAILED)
    assert (refreshed.grant, failed.grant) == (other_grant, data_center_grant)
    assert failed.at - refreshed.at > timedelta(seconds=HANGING_SECONDS / 2)


def test_r06_at_most_four_of_a_server_that_hangs_are_under_way(
    data_center_grant, other_grant, hanging, monkeypatch
):
    """The others of its batch do not wait longer than any of them could."""
    monkeypatch.setattr(exchange, "EXCHANGE_SECONDS", HANGING_SECONDS)
    monkeypatch.setattr(cycle, "BEGIN_SECONDS", HANGING_SECONDS)
    at_server(data_center_grant, hanging.url(path="/wiki"))
    mine = [data_center_grant, *(grants.copy_of(data_center_grant) for _ in range(6))]
    Grant.objects.update(refresh_at=database_now() - timedelta(minutes=1))

    taken = [pk for batch in due.batches(database_now()) for pk in batch.ids]

    assert set(taken) == {other_grant.pk, *(grant.pk for grant in mine)}
    outcomes = Counter(refresh.refresh_batch(taken))
    assert outcomes == {
        Outcome.REFRESHED: 1,
        Outcome.UNCERTAIN: exchange.AT_SERVER,
        Outcome.NOT_BEGUN: 3,
    }
    assert hanging.connections == exchange.AT_SERVER


def test_r06_of_a_server_that_is_away_a_batch_asks_for_few(data_center_grant):
    """Four in a row end it; others may have begun when the first of them were told."""
    at_server(data_center_grant, f"http://127.0.0.1:{free_port()}/wiki")
    for _ in range(40):
        grants.copy_of(data_center_grant)
    Grant.objects.update(refresh_at=database_now() - timedelta(minutes=1))
    (batch,) = due.batches(database_now())

    outcomes = Counter(refresh.refresh_batch(batch.ids))

    assert set(outcomes) == {Outcome.NOT_SENT, Outcome.NOT_BEGUN}
    assert exchange.AT_SERVER <= outcomes[Outcome.NOT_SENT] < 2 * exchange.AT_SERVER
    unharmed = Grant.objects.filter(last_error="", attempt=0, lease_id=None)
    assert unharmed.count() == outcomes[Outcome.NOT_BEGUN]


def test_r06_the_breaker_of_one_server_is_not_that_of_another(
    data_center_grant, hanging, monkeypatch
):
    """Two tenants with the same server have an app, and a breaker, each."""
    other = factories.make_oauth_app(base_url=hanging.url(path="/wiki"))
    now = database_now()
    for _ in range(breaker.FAILURES_TO_OPEN):
        breaker.app_answered(other, exchange.Failure("uncertain", "timeout"), now=now)

    grants.make_due(data_center_grant)

    assert due.batches(now) == [due.Batch([data_center_grant.pk], is_at_server=True)]
