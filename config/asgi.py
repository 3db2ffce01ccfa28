"""The ASGI entry point."""

from __future__ import annotations

import os
from importlib import import_module

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_asgi_application()

# The models, which the checks need, are there only now.
import_module("confluence_link.checks").refuse_start_without_keys()
