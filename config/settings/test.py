"""Tests: quick and closed, and blind to a developer's own settings.

`DATABASE_URL` names the database server, as everywhere; without it tests run on
SQLite. `make test` starts a PostgreSQL and a Valkey and names both.
"""

from __future__ import annotations

import os
import tempfile

from config.env import env

# What `base` builds other settings from must be there before it is read.
env.ENVIRON.update(
    {
        "PUBLIC_URL": "http://testserver",
        "CONFLUENCE_CLOUD_CLIENT_ID": "",
        "CONFLUENCE_CLOUD_CLIENT_SECRET": "",
        "EMAIL_URL": "memorymail://",
        # 32 bytes each, as `id:base64`; made up, and in no other use.
        "CONFLUENCE_LINK_VAULT_KEYS": (
            "test-2:GuhMRUUlMc+RFOOoBCjTT0Yysn6N66K6YzbqqOVLkXI=,"
            "test-1:mN+2JQZIhP2JpY42r0Isxjwv8wnckmjMUg6Yrehg+lo="
        ),
        # The sandbox listens on the loopback address, without TLS.
        "CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        "CONFLUENCE_LINK_ALLOW_HTTP": "1",
        "CONFLUENCE_LINK_SWEEP_SECONDS": "5",
        "CONFLUENCE_LINK_MIN_REFRESH_SECONDS": "60",
    }
)
for _name in (
    "ALLOWED_HOSTS",
    "CONFLUENCE_CLOUD_API_URL",
    "CONFLUENCE_CLOUD_AUTHORIZE_URL",
    "CONFLUENCE_CLOUD_SCOPES",
    "CONFLUENCE_CLOUD_TOKEN_URL",
    "DEFAULT_FROM_EMAIL",
    "LOG_LEVEL",
    "SITE_NOTICE",
    "SITE_NOTICE_URL",
    "TRUSTED_PROXY_COUNT",
):
    env.ENVIRON.pop(_name, None)

from config.settings.base import *  # noqa: F403  # settings are star-imported by design
from config.settings.base import CACHES, DATABASES

DEBUG = False
SECRET_KEY = "only-ever-signs-what-tests-made"  # noqa: S105  # signs nothing real
# https://docs.djangoproject.com/en/5.2/ref/settings/#test
DATABASES["default"]["TEST"] = {"NAME": f"test_confluence_link_{os.getpid()}"}
DATABASES["default"]["CONN_MAX_AGE"] = 0
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: threads of a test must be able to wait for each other.
    DATABASES["default"]["TEST"]["NAME"] = (
        f"{tempfile.gettempdir()}/test_confluence_link_{os.getpid()}.sqlite3"
    )
# https://docs.djangoproject.com/en/5.2/topics/testing/overview/#password-hashing
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Emptied before each test, which must never happen to a server that is shared.
CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
# Messages wait in this process; a test that wants a worker starts one.
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.01}
# Served from where they lie; looked for when asked, not once for each client.
WHITENOISE_AUTOREFRESH = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}
