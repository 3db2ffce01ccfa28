from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from confluence_link.models import Event

THEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def make_event(**fields):
    return Event.objects.create(**{"at": THEN, "kind": Event.Kind.LINKED, **fields})


def test_an_event_says_what_and_when():
    assert str(Event(kind="site.linked", at=THEN)) == (
        "site.linked at 2026-03-04 05:06:07"
    )


def test_events_are_listed_newest_first(db):
    first, second = make_event(), make_event()
    newest = make_event(at=THEN + timedelta(seconds=1))

    assert [*Event.objects.all()] == [newest, second, first]


@pytest.mark.parametrize("gone", ["organization", "actor", "grant", "oauth_app"])
def test_t18_an_event_outlives_what_it_is_about(make_grant, organization, alice, gone):
    grant = make_grant()
    rows = {
        "organization": organization,
        "actor": alice,
        "grant": grant,
        "oauth_app": grant.oauth_app,
    }
    event = make_event(**rows, facts={"site": "Northwind"})
    if gone == "oauth_app":
        grant.delete()

    rows[gone].delete()

    event.refresh_from_db()
    assert getattr(event, gone) is None
    assert event.facts == {"site": "Northwind"}
