"""The frame: settings, URLs, Celery. Knows every package; no package knows it."""

from __future__ import annotations

# Importing the Celery app here makes `shared_task` bind to it in every process,
# also in those that only publish.
from config.celery_app import app as celery_app

__all__ = ["celery_app"]
