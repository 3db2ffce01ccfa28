"""Production with a transaction around each request, which nothing starts with."""

from __future__ import annotations

from config.settings.production import *  # noqa: F403  # settings are star-imported by design
from config.settings.production import DATABASES

DATABASES["default"]["ATOMIC_REQUESTS"] = True
