"""Answers stored by one statement: the same fence, and the same rows, as one by one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import F

from confluence_link import linking, refresh
from confluence_link.http import Deadline
from confluence_link.models import Grant
from confluence_link.refresh import Outcome, claim, store
from confluence_link.refresh.exchange import exchange
from confluence_link.refresh.together import store_together
from confluence_link.tokens import TokenSet
from tests import grants

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQL of its own"),
]


@pytest.fixture
def two(cloud_grant):
    return [cloud_grant, grants.copy_of(cloud_grant)]


def _exchanged(rows):
    """A lease, and an answer to each of them."""
    for row in rows:
        grants.make_due(row)
    lease_id, leased = claim.lease_due([row.pk for row in rows])
    opened = [claim.open_leased(row, lease_id) for row in leased]
    answers = [(one, exchange(one, deadline=Deadline(8))) for one in opened]
    return lease_id, sorted(answers, key=lambda answer: answer[0].grant.pk)


def _columns(grant):
    """What a success writes but for times, which have chance in them."""
    times = {"expires_at", "refresh_at", "last_rotated_at"}
    kept = {"id", "public_id", "account_id"} | times
    values = Grant.objects.filter(pk=grant.pk).values().get()
    return {name: value for name, value in values.items() if name not in kept}


def test_it_writes_what_would_be_written_one_by_one(two):
    lease_id, answers = _exchanged(two)
    (leased, token_set), other = answers
    assert store.store(
        grant=leased.grant,
        lease_id=lease_id,
        refresh_token=leased.refresh_token,
        token_set=token_set,
        asked_at=leased.asked_at,
    )
    assert store_together(lease_id, [other]) == {other[0].grant.pk}
    one, another = (leased.grant for leased, _ in answers)
    assert _columns(one) == _columns(another)
    assert grants.tokens(another) == (other[1].access_token, other[1].refresh_token)


def _end(grant):
    linking.unlink(linked_site=grant.linked_sites.get(), actor=None)


CHANGES = {
    "ended": {"status": "unlinked", "epoch": F("epoch") + 1, "lease_id": None},
    "linked again": {"epoch": F("epoch") + 1, "lease_id": None},
    "linked again, lease kept": {"epoch": F("epoch") + 1},
    "leased by another": {"lease_id": uuid4()},
    "succeeded": {"generation": F("generation") + 1},
    "paused": {"status": "paused"},
    "given up": {"status": "reconnect_needed"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_f45_f46_one_that_changed_is_fenced_off_and_the_other_is_stored(two, change):
    lease_id, answers = _exchanged(two)
    changed, other = (leased.grant for leased, _ in answers)
    Grant.objects.filter(pk=changed.pk).update(**CHANGES[change])
    before = _columns(changed)

    assert store_together(lease_id, answers) == {other.pk}

    assert _columns(changed) == before
    assert grants.again(other).generation == 2


@pytest.mark.parametrize("change", CHANGES)
def test_f45_f46_one_that_changes_while_it_waits_is_fenced_off(two, change):
    lease_id, answers = _exchanged(two)
    changed, other = (leased.grant for leased, _ in answers)
    rows = Grant.objects.filter(pk=changed.pk)

    stored = _while_it_waits(
        lambda: store_together(lease_id, answers),
        lambda: rows.update(**CHANGES[change]),
    )

    assert stored == {other.pk}


def test_f45_one_that_is_unlinked_while_it_waits_stays_so(cloud_grant):
    lease_id, answers = _exchanged([cloud_grant])
    stored = _while_it_waits(
        lambda: store_together(lease_id, answers), lambda: _end(cloud_grant)
    )
    assert stored == set()
    assert not hasattr(grants.again(cloud_grant), "sealed_token_set")


def test_f47_an_answer_for_a_paused_grant_is_stored_although_not_together(
    sandbox, cloud_grant
):
    grants.make_due(cloud_grant)
    with connection.execute_wrapper(_Pausing(cloud_grant)):
        assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]
    paused = grants.again(cloud_grant)
    assert (paused.status, paused.generation) == (Grant.Status.PAUSED, 2)


class _Pausing:
    """Somebody is switched off right when the answers are written."""

    def __init__(self, grant):
        self.grant = grant

    def __call__(self, execute, sql, params, many, context):
        if b"renewed" in (sql if isinstance(sql, bytes) else sql.encode()):
            Grant.objects.filter(pk=self.grant.pk).update(status=Grant.Status.PAUSED)
        return execute(sql, params, many, context)


def test_answers_without_an_access_token_go_another_way(cloud_grant):
    lease_id, ((leased, _),) = _exchanged([cloud_grant])
    broken = TokenSet("", "a-refresh-token", 3600, None)
    assert store_together(lease_id, [(leased, broken)]) == set()


def _while_it_waits(act, change):
    """What `act` gives that meets an uncommitted change."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change()
            worker = pool.submit(_closing, act)
            _until_somebody_waits()
        return worker.result(timeout=30)


def _closing(act):
    try:
        return act()
    finally:
        connection.close()


def _until_somebody_waits():
    """For a lock, in this database."""
    pause = threading.Event()
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        pause.wait(0.01)
    pytest.fail("nobody waited")
