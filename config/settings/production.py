"""Production: nothing secret has a default, so a missing value stops the start."""

from __future__ import annotations

from config.env import env
from config.settings.base import *  # noqa: F403  # settings are star-imported by design
from config.settings.base import PUBLIC_URL

DEBUG = False
# https://docs.djangoproject.com/en/5.2/ref/settings/#secret-key
SECRET_KEY = env.str("SECRET_KEY")
# https://docs.djangoproject.com/en/5.2/ref/settings/#secure-proxy-ssl-header
if env.int("TRUSTED_PROXY_COUNT", default=0):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
if PUBLIC_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    # A probe asks over http, from inside.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    # https://docs.djangoproject.com/en/5.2/ref/settings/#secure-hsts-seconds
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = False
# https://docs.djangoproject.com/en/5.2/ref/settings/#storages
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
