"""System checks: a start with settings that would cost secrets or grants is refused.

`confluence_link.E…` stops every command of `manage.py`, `W…` is a developer's
warning. Each hint says what to do.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialApp, SocialToken
from django.conf import settings
from django.contrib import admin
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from confluence_link import resealing, vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

logger = logging.getLogger(__name__)

_LOCAL_CACHES = (
    "django.core.cache.backends.locmem.LocMemCache",
    "django.core.cache.backends.dummy.DummyCache",
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _vault_keys() -> Iterator[CheckMessage]:
    kind = Warning if settings.DEBUG else Error
    for problem in vault.key_ring_problems():
        yield kind(
            f"CONFLUENCE_LINK_VAULT_KEYS: {problem}",
            hint="It is a list of id:base64 with 32 random bytes each, separated by"
            " commas; the first seals. Make one with: echo"
            ' "k1:$(openssl rand -base64 32)"',
            id="confluence_link.E001",
        )


def _token_storage() -> Iterator[CheckMessage]:
    if settings.SOCIALACCOUNT_STORE_TOKENS:
        yield Error(
            "allauth would store tokens in plain text.",
            hint="Set SOCIALACCOUNT_STORE_TOKENS = False; the vault holds them.",
            id="confluence_link.E002",
        )


def _email_authentication() -> Iterator[CheckMessage]:
    # allauth's default is off, and so is what is not set.
    if getattr(settings, "SOCIALACCOUNT_EMAIL_AUTHENTICATION", False):
        yield Error(
            "A Confluence account would sign in whoever has its e-mail address.",
            hint="Set SOCIALACCOUNT_EMAIL_AUTHENTICATION = False.",
            id="confluence_link.E003",
        )


def _result_backend() -> Iterator[CheckMessage]:
    if getattr(settings, "CELERY_RESULT_BACKEND", None):
        yield Error(
            "Celery would keep results of tasks, which nothing here reads.",
            hint="Remove CELERY_RESULT_BACKEND: the row is the queue.",
            id="confluence_link.E004",
        )


def _sessions() -> Iterator[CheckMessage]:
    if settings.SESSION_ENGINE.endswith(".signed_cookies"):
        yield Error(
            "Sessions lie in cookies, so a used state of a link could come back.",
            hint="Set SESSION_ENGINE to django.contrib.sessions.backends.db.",
            id="confluence_link.E005",
        )


def _shared_cache() -> Iterator[CheckMessage]:
    backend = settings.CACHES["default"]["BACKEND"]
    if backend in _LOCAL_CACHES and not settings.DEBUG:
        yield Error(
            "Each process has a cache of its own, so rate limits multiply.",
            hint="Set REDIS_URL, and the default cache to RedisCache.",
            id="confluence_link.E006",
        )


def _public_url() -> Iterator[CheckMessage]:
    hint = (
        "Set PUBLIC_URL to the address that people use, for instance"
        " https://link.example.com; redirect URIs and mails are built from it."
    )
    url = urlsplit(settings.PUBLIC_URL)
    if url.scheme not in {"http", "https"} or not url.hostname:
        yield Error("PUBLIC_URL is no address.", hint=hint, id="confluence_link.E007")
    elif url.path or url.query or url.fragment or url.username is not None:
        yield Error(
            "PUBLIC_URL has more than scheme, host and port.",
            hint=hint,
            id="confluence_link.E007",
        )
    elif url.scheme == "http" and not _may_be_plain(url.hostname):
        yield Error(
            "PUBLIC_URL is not https: codes and sessions could be read on the way.",
            hint=hint,
            id="confluence_link.E007",
        )


def _may_be_plain(host: str) -> bool:
    return settings.DEBUG or settings.CONFLUENCE_LINK_ALLOW_HTTP or host in _LOOPBACK


def _stock_pages() -> Iterator[CheckMessage]:
    if any(admin.site.is_registered(model) for model in (SocialApp, SocialToken)):
        yield Error(
            "The admin has a stock page of allauth that shows tokens or secrets.",
            hint="Unregister SocialApp and SocialToken: see confluence_link.admin.stock"
            " and keep confluence_link in INSTALLED_APPS.",
            id="confluence_link.E008",
        )


def _atomic_requests() -> Iterator[CheckMessage]:
    if settings.DATABASES["default"].get("ATOMIC_REQUESTS"):
        yield Error(
            "A transaction around each request would hide a refresh's intent.",
            hint="Set ATOMIC_REQUESTS to False for the default database.",
            id="confluence_link.E009",
        )


def _seconds() -> Iterator[CheckMessage]:
    for name in (
        "CONFLUENCE_LINK_SWEEP_SECONDS",
        "CONFLUENCE_LINK_MIN_REFRESH_SECONDS",
    ):
        if getattr(settings, name) < 1:
            yield Error(
                f"{name} is not a positive number of seconds.",
                hint="Remove it to get the default, or set 1 or more.",
                id="confluence_link.E010",
            )


def _cloud_rate() -> Iterator[CheckMessage]:
    if settings.CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND < 1:
        yield Error(
            "CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND leaves no refresh a second.",
            hint="Remove it to get the default, or set 1 or more.",
            id="confluence_link.E015",
        )


def _trusted_proxies() -> Iterator[CheckMessage]:
    if settings.ALLAUTH_TRUSTED_PROXY_COUNT < 0:
        yield Error(
            "ALLAUTH_TRUSTED_PROXY_COUNT is negative.",
            hint="Set TRUSTED_PROXY_COUNT to how many proxies stand before this"
            " service; rate limits count by the address that the first one saw.",
            id="confluence_link.E011",
        )


def _failpoints() -> Iterator[CheckMessage]:
    # The settings of the tests of faults read the variable and take it away.
    if settings.CONFLUENCE_LINK_FAILPOINTS:
        yield Error(
            "CONFLUENCE_LINK_FAILPOINTS is set: it is for tests that kill processes.",
            hint="Remove it from the environment and from .env.",
            id="confluence_link.E014",
        )


CHECKS: Sequence[Callable[[], Iterator[CheckMessage]]] = (
    _vault_keys,
    _token_storage,
    _email_authentication,
    _result_backend,
    _sessions,
    _shared_cache,
    _public_url,
    _stock_pages,
    _atomic_requests,
    _seconds,
    _cloud_rate,
    _trusted_proxies,
    _failpoints,
)


# Wrong ones would divide by nothing, sweep without a pause, or fail each refresh on
# demand.
_AT_EVERY_START = (_failpoints, _seconds, _cloud_rate, _atomic_requests)


@register(Tags.security)
def check_settings(
    app_configs: Sequence[Any] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """All of them; registered by importing this module."""
    return [message for check in CHECKS for message in check()]


@register(Tags.database)
def check_keys(
    databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """Run by `migrate` and by `check --database default`."""
    if "default" not in (databases or ()) or vault.key_ring_problems():
        return []
    kind = Warning if settings.DEBUG else Error
    return [
        kind(
            f"CONFLUENCE_LINK_VAULT_KEYS: {problem}",
            hint='See "Keys" in docs/operations.md.',
            id="confluence_link.E012",
        )
        for problem in resealing.key_problems()
    ]


def refuse_start() -> None:
    """For web servers and workers, which run no system checks (design 7).

    Raises ImproperlyConfigured; for want of keys, a developer's machine only warns.
    """
    for check in _AT_EVERY_START:
        for message in check():
            raise ImproperlyConfigured(message.msg)
    problems = vault.key_ring_problems() or resealing.key_problems(note=True)
    if problems and not settings.DEBUG:
        raise ImproperlyConfigured(f"CONFLUENCE_LINK_VAULT_KEYS: {' '.join(problems)}")
    for problem in problems:
        logger.warning("CONFLUENCE_LINK_VAULT_KEYS: %s", problem)
