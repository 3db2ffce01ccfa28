"""A developer's machine: pages with tracebacks, mails on the console."""

from __future__ import annotations

from config.env import env
from config.settings.base import *  # noqa: F403  # settings are star-imported by design

DEBUG = True
# Only ever signs a developer's cookies; production refuses to start without one.
SECRET_KEY = env.str("SECRET_KEY", default="a-developer-machine-is-not-a-secret")
ALLOWED_HOSTS += ["127.0.0.1", "localhost", "[::1]"]  # noqa: F405  # from base
if not env.str("EMAIL_URL", default=""):
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
