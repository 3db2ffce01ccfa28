"""A worker's connection to the database, over its tasks (`config.celery_app`)."""

from __future__ import annotations

import time

import pytest
from celery.fixups.django import DjangoWorkerFixup
from celery.signals import task_postrun, task_prerun
from django.db import connection

from config.celery_app import app

NEEDS_A_SERVER = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a database in memory is never closed"
)


@pytest.fixture
def kept(transactional_db):
    """A connection that may live for a minute, as in production."""
    before = connection.settings_dict["CONN_MAX_AGE"]
    connection.close()
    connection.settings_dict["CONN_MAX_AGE"] = 60
    connection.ensure_connection()
    yield connection.connection
    connection.settings_dict["CONN_MAX_AGE"] = before
    connection.close()


def test_celery_itself_closes_it_after_many_tasks_only():
    assert DjangoWorkerFixup(app).db_reuse_max == 1_000


@NEEDS_A_SERVER
def test_it_outlives_a_task(kept):
    _run_a_task()
    assert connection.connection is kept


@NEEDS_A_SERVER
def test_it_is_closed_when_it_is_too_old(kept):
    connection.close_at = time.monotonic() - 1
    _run_a_task()
    assert connection.connection is None


@NEEDS_A_SERVER
def test_a_host_that_vanished_is_not_waited_for(kept):
    """As libpq understood it; without, the system waits for a quarter of an hour."""
    told = kept.info.get_parameters()
    assert (told["connect_timeout"], told["tcp_user_timeout"]) == ("5", "10000")


@NEEDS_A_SERVER
def test_it_is_closed_when_it_broke(kept):
    kept.close()
    connection.errors_occurred = True
    _run_a_task()
    assert connection.connection is None


@NEEDS_A_SERVER
def test_a_task_within_a_task_leaves_it_alone(kept):
    connection.close_at = time.monotonic() - 1
    _run_a_task(is_eager=True)
    assert connection.connection is kept


def _run_a_task(*, is_eager=False):
    task = app.tasks["confluence_link.tasks.sweep"]
    task.push_request(is_eager=is_eager)
    try:
        for signal in (task_prerun, task_postrun):
            signal.send(sender=task, task_id="1", task=task)
    finally:
        task.pop_request()
