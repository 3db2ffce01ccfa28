"""The Celery application; all its settings are Django's, prefixed `CELERY_`."""

from __future__ import annotations

import gc
import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
)
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections

# New objects until the next look at them; 700 is Python's own.
GARBAGE_THRESHOLD = 10_000

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("confluence_link")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def leave_logging_to_django(**kwargs: Any) -> None:
    """Celery sets nothing up itself when somebody listens to this signal.

    It would put its own level over `LOG_LEVEL`, and lines without our filter beside.
    """


# A child of a prefork pool; the process itself, in which a threads pool runs.
@worker_process_init.connect
@worker_ready.connect
def spare_what_stays(**kwargs: Any) -> None:
    """The garbage collector need not look at what lives as long as the process.

    Every exchange makes hundreds of small objects; with Python's own threshold a sixth
    of a refresh's time went into looking through them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


@task_prerun.connect
@task_postrun.connect
def renew_connections(sender: Any = None, **kwargs: Any) -> None:
    """As Django does around a request: what is broken or too old is closed.

    Celery itself would close the database's connection around every task; opening it
    anew for each batch took a seventh of PostgreSQL's time.
    """
    if not sender.request.is_eager:
        close_old_connections()


@worker_init.connect
@beat_init.connect
def refuse_start(**kwargs: Any) -> None:
    """A worker that can open nothing would only fail every grant."""
    # Only here are the models there, which the checks need.
    checks = import_module("confluence_link.checks")
    try:
        checks.refuse_start()
    except ImproperlyConfigured as error:
        # Celery logs any other exception of a receiver, and starts.
        raise SystemExit(str(error)) from None
