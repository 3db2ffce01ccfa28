"""The start page: numbers and one drawing, for whoever may see grants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import resolve

from confluence_link import charts
from confluence_link.models import (
    Event,
    Grant,
    OAuthAppHealth,
    OAuthAppTally,
    database_now,
)
from tests import factories


def overview(client):
    return client.get("/admin/").context


def counts(client):
    return {tile.label: tile.count for tile in overview(client)["tiles"]}


def troubles(client):
    return [trouble.text for trouble in overview(client)["troubles"]]


def an_hour(*, hours_ago):
    return charts.hours_of_last_day(database_now())[-1] - timedelta(hours=hours_ago)


def test_an_empty_installation_has_a_start_page(admin_client):
    assert set(counts(admin_client).values()) == {0}
    assert troubles(admin_client) == []
    assert overview(admin_client)["chart"].refreshed == 0


def test_grants_are_counted_by_how_they_are(admin_client, make_grant, organization):
    make_grant(organization)
    make_grant(organization, consecutive_failures=1)
    make_grant(organization, status=Grant.Status.RECONNECT_NEEDED)
    make_grant(organization, status=Grant.Status.PAUSED)
    make_grant(organization, status=Grant.Status.UNLINKED)

    assert counts(admin_client) == {
        "connected": 1,
        "having trouble": 1,
        "reconnect needed": 1,
        "paused": 1,
        "unlinked": 1,
    }


def test_every_tile_and_trouble_leads_somewhere(admin_client, grant):
    now = database_now()
    Grant.objects.update(refresh_at=now - timedelta(minutes=9))
    OAuthAppHealth.objects.create(
        oauth_app=grant.oauth_app, configuration_refused_since=now
    )
    context = overview(admin_client)

    for link in [*context["tiles"], *context["troubles"]]:
        assert resolve(link.url.partition("?")[0])
        assert admin_client.get(link.url).status_code == 200


def test_refreshes_of_all_apps_are_drawn_by_hour(admin_client, oauth_app):
    other = factories.make_oauth_app()
    for app, hours_ago in [(oauth_app, 0), (other, 0), (oauth_app, 5), (other, 30)]:
        OAuthAppTally.objects.create(
            hour=an_hour(hours_ago=hours_ago), oauth_app=app, refreshed=1
        )
    Event.objects.create(at=database_now(), kind=Event.Kind.REFRESH_FAILED)

    chart = overview(admin_client)["chart"]

    assert (chart.refreshed, chart.failed) == (3, 1)
    assert len(chart.bars) == 24
    last = chart.bars[-1]
    assert last.refreshed_height == pytest.approx(2 * last.failed_height, abs=0.02)
    assert last.failed_y == pytest.approx(0, abs=0.02)
    assert "1 refreshed" in chart.bars[-6].title


def test_the_drawing_has_no_inline_style_or_script(admin_client):
    Event.objects.create(at=an_hour(hours_ago=1), kind=Event.Kind.REFRESH_FAILED)

    text = admin_client.get("/admin/").content.decode()

    assert '<svg class="chart"' in text
    assert "style=" not in text
    assert "<script>" not in text


def test_refused_settings_are_told(admin_client, oauth_app):
    OAuthAppHealth.objects.create(
        oauth_app=oauth_app,
        configuration_refused_since=database_now(),
        paused_until=database_now() + timedelta(minutes=1),
        last_error="invalid_client",
    )

    (text,) = troubles(admin_client)

    assert text.startswith("Company wiki: its settings are refused since")
    assert "invalid_client" in text


def test_an_open_breaker_is_told(admin_client, oauth_app):
    OAuthAppHealth.objects.create(
        oauth_app=oauth_app,
        consecutive_failures=5,
        paused_until=database_now() + timedelta(minutes=1),
        last_error="connect",
    )

    (text,) = troubles(admin_client)

    assert "after 5 failures in a row (connect)" in text


def test_a_grant_that_nobody_refreshes_is_told(admin_client, grant):
    Grant.objects.update(refresh_at=database_now() - timedelta(minutes=9))

    (text,) = troubles(admin_client)

    assert text.startswith("A grant has been due for 9 minutes")


def test_client_certificates_that_end_are_told(admin_client):
    now = database_now()
    for name, days in (("Over", -1), ("Soon", 29), ("Later", 31)):
        factories.make_oauth_app(
            name=name, client_certificate_expires_at=now + timedelta(days=days)
        )
    factories.make_oauth_app(client_certificate_expires_at=now, enabled=False)

    over, soon = overview(admin_client)["troubles"]

    assert over.text.startswith("Over: its client certificate ended at")
    assert soon.text.startswith("Soon: its client certificate ends at")
    assert admin_client.get(soon.url).status_code == 200


def test_accounts_that_cannot_be_reported_are_told_with_the_cure(
    admin_client, make_grant, organization
):
    app = factories.make_oauth_app(
        name="Cloud", reporting_refused_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    )
    assert troubles(admin_client) == []
    make_grant(organization, app=app)

    (trouble,) = overview(admin_client)["troubles"]

    assert "not reported to Atlassian since 2026-01-02 03:04 UTC" in trouble.text
    assert "scope report:personal-data" in trouble.text
    assert admin_client.get(trouble.url).status_code == 200
