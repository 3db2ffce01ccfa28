"""Shapes of charts: every part to be seen, and nothing out of the frame."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from confluence_link import charts
from confluence_link.models import Event, database_now


@pytest.fixture
def hours(db):
    return charts.hours_of_last_day(database_now())


def test_refreshes_and_failures_stand_at_their_hour(hours, django_assert_num_queries):
    for kind in (Event.Kind.REFRESH_FAILED, Event.Kind.LINKED):
        Event.objects.create(at=hours[-1] + timedelta(minutes=59), kind=kind)

    with django_assert_num_queries(1):
        chart = charts.refreshes(
            hours, {hours[0]: 2, hours[-1]: 3}, Event.objects.all()
        )

    assert (chart.refreshed, chart.failed) == (5, 1)
    assert chart.bars[0].title.endswith("2 refreshed, 0 failed")
    assert chart.bars[-1].title.endswith("3 refreshed, 1 failed")


def test_what_is_older_than_a_day_is_not_drawn(hours):
    before = hours[0] - timedelta(hours=1)
    Event.objects.create(at=before, kind=Event.Kind.REFRESH_FAILED)

    chart = charts.refreshes(hours, {before: 1}, Event.objects.all())

    assert (chart.refreshed, chart.failed) == (0, 0)


def test_a_chart_of_nothing_is_empty_bars(hours):
    chart = charts.refreshes(hours, {}, Event.objects.all())

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
