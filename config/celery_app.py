"""The Celery application; all its settings are Django's, prefixed `CELERY_`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("confluence_link")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def leave_logging_to_django(**kwargs: Any) -> None:
    """Celery sets nothing up itself when somebody listens to this signal.

    It would put its own level over `LOG_LEVEL`, and lines without our filter beside.
    """
