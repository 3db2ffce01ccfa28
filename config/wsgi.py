"""The WSGI entry point."""

from __future__ import annotations

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# The models, which the checks need, are there only now.
import_module("confluence_link.checks").refuse_start()
