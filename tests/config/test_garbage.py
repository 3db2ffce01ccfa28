"""The garbage collector of whoever refreshes, whatever pool it is in."""

from __future__ import annotations

import gc

import pytest
from celery.signals import worker_process_init, worker_ready

from config.celery_app import GARBAGE_THRESHOLD


@pytest.fixture(autouse=True)
def _as_before():
    threshold = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.mark.parametrize(
    "signal",
    [
        pytest.param(worker_process_init, id="a child of a prefork pool"),
        pytest.param(worker_ready, id="the process of a threads pool"),
    ],
)
def test_whoever_refreshes_looks_seldom_and_not_at_what_stays(signal):
    signal.send(sender=None)

    assert gc.get_threshold()[0] == GARBAGE_THRESHOLD
    assert gc.get_freeze_count() > 10_000
