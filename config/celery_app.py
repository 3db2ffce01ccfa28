"""The Celery application; all its settings are Django's, prefixed `CELERY_`."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("confluence_link")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def leave_logging_to_django(**kwargs: Any) -> None:
    """Celery sets nothing up itself when somebody listens to this signal.

    It would put its own level over `LOG_LEVEL`, and lines without our filter beside.
    """


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
