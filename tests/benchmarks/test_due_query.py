from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection

from benchmarks import due_query, seeding
from confluence_link.models import Grant
from tests import factories

on_postgresql = [
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="PostgreSQL is what is measured."
    ),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def grants():
    seeding.make_grants(factories.make_oauth_app(), 100, due_every=10)


@pytest.mark.usefixtures("grants")
class TestASweep:
    pytestmark = on_postgresql

    def test_its_statements_about_grants_are_timed(self):
        watch = due_query.Watch()
        with connection.execute_wrapper(watch):
            found = due_query.sweep()

        assert found == 10
        assert watch.seconds > 0

    def test_other_statements_are_not(self):
        watch = due_query.Watch()
        with connection.execute_wrapper(watch), connection.cursor() as cursor:
            cursor.execute("SELECT 1")

        assert watch.seconds == 0

    def test_it_can_be_done_again(self):
        due_query.sweep()
        due_query.forget_sweep()

        assert due_query.sweep() == 10

    def test_its_plans_are_told_and_nothing_is_done_twice(self):
        explained = due_query.Explained()
        with connection.execute_wrapper(explained):
            assert due_query.sweep() == 10

        assert any("Buffers" in plan for plan in explained.plans)
        assert not Grant.objects.exclude(attempt=0).exists()


def test_one_organization_has_as_many_due_as_no_other():
    """What `multiply` makes of it is a hundred times as much of the first."""
    due = [
        due_query.organization_of(number)
        for number in range(1, due_query.UNFAIR_BASE + 1)
        if number % due_query.UNFAIR_DUE_EVERY == 0
    ]
    counts = Counter(due)

    assert counts.pop(1) * due_query.UNFAIR_TIMES == 100_000
    assert len(counts) * due_query.UNFAIR_TIMES == 2_000
    assert set(counts.values()) == {10}
