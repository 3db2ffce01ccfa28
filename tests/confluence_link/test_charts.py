"""Shapes of charts: every part to be seen, and nothing out of the frame."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from confluence_link import charts
from confluence_link.models import Event, database_now


def test_refreshes_are_counted_in_one_query(db, django_assert_num_queries):
    now = database_now()
    for kind in (Event.Kind.REFRESHED, Event.Kind.REFRESH_FAILED, Event.Kind.LINKED):
        Event.objects.create(at=now, kind=kind)

    with django_assert_num_queries(1):
        chart = charts.refreshes_of_last_day(Event.objects.all(), now)

    assert (chart.refreshed, chart.failed) == (1, 1)


def test_what_is_older_than_a_day_is_not_drawn(db):
    now = database_now()
    Event.objects.create(at=now - timedelta(hours=25), kind=Event.Kind.REFRESHED)

    assert charts.refreshes_of_last_day(Event.objects.all(), now).refreshed == 0


def test_a_chart_of_nothing_is_empty_bars(db):
    chart = charts.refreshes_of_last_day(Event.objects.all(), database_now())

    assert len(chart.bars) == charts.HOURS
    assert {bar.refreshed_height for bar in chart.bars} == {0}


@pytest.mark.parametrize(
    "counts",
    [
        {"good": 1},
        {"good": 99_999, "bad": 1},
        {"good": 3, "none": 0, "bad": 3},
        dict.fromkeys("abcdef", 1),
    ],
)
def test_shares_fill_the_strip_and_each_is_to_be_seen(counts):
    pieces = charts.shares(counts)

    assert [piece.name for piece in pieces] == [name for name in counts if counts[name]]
    assert all(piece.width >= charts.LEAST_WIDTH for piece in pieces)
    end = pieces[-1].x + pieces[-1].width
    assert end == pytest.approx(charts.STRIP_WIDTH, abs=0.1)
    for left, right in pairwise(pieces):
        assert right.x == pytest.approx(left.x + left.width + charts.GAP, abs=0.1)


def test_nothing_has_no_shares():
    assert charts.shares({"good": 0}) == []
