"""The ASGI entry point."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_asgi_application()

# The models, which the checks need, are there only now.
with ThreadPoolExecutor(1) as pool:
    # In a thread: a server may import this within its event loop, where Django lets
    # nobody ask the database.
    checks = import_module("confluence_link.checks")
    pool.submit(checks.refuse_start).result()
