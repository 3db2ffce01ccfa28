"""When a grant ends at the latest, if nothing changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from confluence_link import forecast
from confluence_link.forecast import End
from confluence_link.models import Grant, OAuthApp, database_now
from tests import factories, many

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def end_of(deployment="cloud", **fields):
    fields = {"consented_at": NOW, "last_rotated_at": NOW, **fields}
    grant = Grant(oauth_app=OAuthApp(deployment=deployment), **fields)
    return forecast.end_of(grant, NOW)


def test_f39_a_cloud_consent_ends_after_365_days_however_much_it_is_used():
    assert end_of(consented_at=NOW - 100 * DAY) == End(NOW + 265 * DAY, "absolute")


def test_f39_a_data_center_consent_has_no_last_day():
    assert end_of("data_center", consented_at=NOW - 1000 * DAY) is None


@pytest.mark.parametrize("deployment", ["cloud", "data_center"])
def test_f39_what_cannot_be_refreshed_ends_90_days_after_the_last_rotation(deployment):
    end = end_of(deployment, last_rotated_at=NOW - 60 * DAY, last_error="timeout")
    assert end == End(NOW + 30 * DAY, "idle")


def test_f39_idleness_alone_is_no_end():
    assert end_of("data_center", last_rotated_at=NOW - 6 * DAY) is None


def test_while_it_is_paused_nothing_is_refreshed():
    end = end_of("data_center", status="paused", last_rotated_at=NOW - 10 * DAY)
    assert end == End(NOW + 80 * DAY, "idle")


def test_the_nearer_end_counts():
    end = end_of(
        consented_at=NOW - 300 * DAY,
        last_rotated_at=NOW - 60 * DAY,
        last_error="timeout",
    )
    assert end == End(NOW + 30 * DAY, "idle")


def test_a_limit_that_was_outlived_says_nothing():
    assert end_of(consented_at=NOW - 366 * DAY) is None


@pytest.mark.parametrize("status", ["reconnect_needed", "unlinked"])
def test_what_has_ended_does_not_end_again(status):
    assert end_of(status=status) is None


@pytest.mark.parametrize(
    ("left", "days"),
    [(timedelta(hours=1), 1), (DAY, 1), (DAY * 1.1, 2), (30 * DAY, 30)],
)
def test_days_left_are_rounded_up(left, days):
    assert End(NOW + left, "absolute").days_left(NOW) == days


@pytest.mark.parametrize("deployment", ["cloud", "data_center"])
@pytest.mark.parametrize("consented", [5, 334, 336, 364, 366])
@pytest.mark.parametrize("rotated", [0, 59, 61, 89, 91])
@pytest.mark.parametrize("last_error", ["", "timeout"])
@pytest.mark.parametrize("status", ["active", "reconnect_needed"])
def test_the_database_finds_what_python_says(
    alice, organization, deployment, consented, rotated, last_error, status
):
    base_url = "https://wiki.example.org" if deployment == "data_center" else ""
    now = database_now()
    (site,) = many.links(
        organization,
        alice,
        app=factories.make_oauth_app(base_url=base_url),
        consented_at=now - consented * DAY,
        last_rotated_at=now - rotated * DAY,
        last_error=last_error,
        status=status,
    )
    end = forecast.end_of(site.grant, now)
    found = Grant.objects.filter(forecast.ends_soon(now)).exists()
    assert found == (end is not None and end.is_soon(now))
