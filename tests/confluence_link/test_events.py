"""What is recorded, and what asks for a mail."""

from __future__ import annotations

import pytest
from django.db import transaction

from confluence_link import events
from confluence_link.models import Event, database_now
from tests import factories


def test_an_event_says_what_happened_to_what_by_whom(alice, organization):
    app = factories.make_oauth_app()
    before = database_now()

    event = events.record(
        Event.Kind.APP_CHANGED,
        organization=organization,
        actor=alice,
        oauth_app=app,
        fields=["name"],
        number=2,
    )

    event.refresh_from_db()
    assert (event.kind, event.organization, event.actor) == (
        "app.changed",
        organization,
        alice,
    )
    assert event.oauth_app == app
    assert event.facts == {"fields": ["name"], "number": 2}
    assert before <= event.at <= database_now()


def test_a_grants_event_is_its_apps_event_too(cloud_grant):
    event = events.record(Event.Kind.RECOVERED, grant=cloud_grant)

    assert event.oauth_app == cloud_grant.oauth_app
    assert event.actor is None


def test_an_app_that_is_named_stays(cloud_grant):
    other = factories.make_oauth_app()

    event = events.record(Event.Kind.RECOVERED, grant=cloud_grant, oauth_app=other)

    assert event.oauth_app == other


@pytest.mark.parametrize("kind", Event.Kind.values)
def test_what_people_must_know_waits_to_be_mailed(db, kind):
    event = events.record(Event.Kind(kind))

    told = kind in {
        "site.linked",
        "grant.reconnect_needed",
        "grant.ends_soon",
        "app.configuration_refused",
        "app.mass_refusal",
        "app.reporting_refused",
        "key.exposed",
        "site.adopter_named",
        "member.removed",
    }
    assert event.notice == ("pending" if told else "")


def test_an_event_is_undone_with_its_transaction(db):
    with transaction.atomic():
        events.record(Event.Kind.APP_CHANGED)
        transaction.set_rollback(True)

    assert not Event.objects.exists()


def test_what_earlier_versions_told_of_each_refresh_is_forgotten(db, monkeypatch):
    monkeypatch.setattr(events, "_FORGOTTEN_AT_ONCE", 2)
    for kind in (Event.Kind.REFRESHED, Event.Kind.REFRESH_FAILED):
        for _ in range(5):
            events.record(kind)

    events.purge()

    kinds = Event.objects.values_list("kind", flat=True)
    assert [*kinds] == [Event.Kind.REFRESH_FAILED] * 5
