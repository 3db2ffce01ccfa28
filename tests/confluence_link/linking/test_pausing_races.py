"""A person is switched off while answers of theirs are stored, many in one statement.

Both hold some rows of grants and want the others; whoever PostgreSQL ends for that must
be the one that tries again.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.db import connection, transaction

from confluence_link import tasks
from confluence_link.http import Deadline
from confluence_link.models import Grant
from confluence_link.refresh import claim, store
from confluence_link.refresh.contention import patiently
from confluence_link.refresh.exchange import exchange
from confluence_link.refresh.together import store_together
from tests import grants, many

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="locks rows"),
]


class AfterTheFirstGrant:
    """Begins `work` when one grant is changed and not committed, until that waits."""

    def __init__(self, work):
        self._work, self._pool = work, ThreadPoolExecutor(1)
        self.result = None

    def __call__(self, execute, sql, params, many, context):
        executed = execute(sql, params, many, context)
        is_grant = sql.startswith('UPDATE "confluence_link_grant"')
        if is_grant and self.result is None:
            self.result = self._pool.submit(self._closing)
            self._until_it_waits()
        return executed

    def _closing(self):
        try:
            return self._work()
        finally:
            connection.close()

    def _until_it_waits(self):
        pause = threading.Event()
        for _ in range(500):
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone()[0] or self.result.done():
                    return
            pause.wait(0.01)
        pytest.fail("nobody waited")

    def end(self):
        self._pool.shutdown()


def exchanged(rows):
    """A lease, and an answer to each."""
    for row in rows:
        grants.make_due(row)
    lease_id, leased = claim.lease_due([row.pk for row in rows])
    opened = [claim.open_leased(row, lease_id) for row in leased]
    answers = [(one, exchange(one, deadline=Deadline(8))) for one in opened]
    return lease_id, sorted(answers, key=lambda answer: answer[0].grant.pk)


@pytest.fixture
def _many(cloud_app, other_organization, bob):
    """Among so many, rows are found, and so locked, in the order of the answers."""
    many.links(other_organization, bob, 5_000, app=cloud_app)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE confluence_link_grant")


@pytest.mark.usefixtures("_many")
@pytest.mark.parametrize("is_reversed", [False, True])
def test_f23_f47_a_person_is_switched_off_while_answers_are_stored(
    cloud_grant, alice, is_reversed
):
    """Grants rest, and each new token is kept for when they come back."""
    lease_id, answers = exchanged([cloud_grant, grants.copy_of(cloud_grant)])
    together = answers[::-1] if is_reversed else answers
    storing = AfterTheFirstGrant(
        lambda: patiently(lambda: store_together(lease_id, together))
    )
    with ExitStack() as stack:
        stack.callback(storing.end)
        stack.enter_context(transaction.atomic())
        stack.enter_context(connection.execute_wrapper(storing))
        alice.is_active = False
        alice.save()

    assert storing.result.result(timeout=30) == set()
    for leased, token_set in answers:
        assert store.store(
            grant=leased.grant,
            lease_id=lease_id,
            refresh_token=leased.refresh_token,
            token_set=token_set,
            asked_at=leased.asked_at,
        )
        row = grants.again(leased.grant)
        assert (row.status, row.generation) == (Grant.Status.PAUSED, 2)


def test_f47_an_answer_that_is_stored_while_a_person_is_switched_on_goes_on(
    cloud_grant, alice
):
    """It waits for the row, having seen them switched off; `purge` resumes it."""
    lease_id, ((leased, token_set),) = exchanged([cloud_grant])
    alice.is_active = False
    alice.save()
    storing = AfterTheFirstGrant(
        lambda: store.store(
            grant=leased.grant,
            lease_id=lease_id,
            refresh_token=leased.refresh_token,
            token_set=token_set,
            asked_at=leased.asked_at,
        )
    )
    with ExitStack() as stack:
        stack.callback(storing.end)
        stack.enter_context(transaction.atomic())
        stack.enter_context(connection.execute_wrapper(storing))
        alice.is_active = True
        alice.save()
    assert storing.result.result(timeout=30)

    tasks.purge()

    row = grants.again(cloud_grant)
    assert (row.status, row.generation) == (Grant.Status.ACTIVE, 2)
