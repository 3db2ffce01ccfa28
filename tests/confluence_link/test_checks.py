"""Settings that would cost secrets or grants are refused, each with what to do."""

from __future__ import annotations

import base64
import secrets

import pytest
from allauth.socialaccount.models import SocialToken
from django.contrib import admin
from django.core.checks import ERROR, WARNING, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from confluence_link.checks import check_settings

REDIS = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}


def key(name="k1", raw=None):
    raw = secrets.token_bytes(32) if raw is None else raw
    return f"{name}:{base64.b64encode(raw).decode()}"


@pytest.fixture(autouse=True)
def _as_in_production(settings):
    settings.CACHES = REDIS
    settings.CONFLUENCE_LINK_VAULT_KEYS = [key()]
    settings.PUBLIC_URL = "https://link.example.com"
    settings.CONFLUENCE_LINK_ALLOW_HTTP = False


def found():
    return [message.id.removeprefix("confluence_link.") for message in check_settings()]


def test_good_settings_pass():
    assert found() == []


def test_the_checks_are_registered(settings):
    settings.SOCIALACCOUNT_STORE_TOKENS = True

    assert "confluence_link.E002" in [message.id for message in run_checks()]


def test_an_error_stops_a_command(settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = []

    with pytest.raises(SystemCheckError, match=r"confluence_link\.E001"):
        call_command("check")


@pytest.mark.parametrize(
    "keys",
    [
        [],
        ["k1:"],
        ["no colon"],
        [key(raw=b"sixteen bytes ok")],
        [key(raw=b"\x07" * 32)],
        [key("k1"), key("k1")],
        ["k1:this is not base64"],
    ],
)
def test_v08_unusable_keys_are_an_error(settings, keys):
    settings.CONFLUENCE_LINK_VAULT_KEYS = keys

    messages = check_settings()

    assert {message.id for message in messages} == {"confluence_link.E001"}
    assert {message.level for message in messages} == {ERROR}


def test_v08_a_key_made_of_the_secret_key_is_an_error(settings):
    settings.SECRET_KEY = "0123456789abcdefghijklmnopqrstuv and more"
    settings.CONFLUENCE_LINK_VAULT_KEYS = [key(raw=settings.SECRET_KEY[:32].encode())]

    assert found() == ["E001"]


def test_two_ids_for_one_key_are_an_error(settings):
    raw = secrets.token_bytes(32)
    settings.CONFLUENCE_LINK_VAULT_KEYS = [key("k1", raw), key("k2", raw)]

    assert found() == ["E001"]


def test_no_message_repeats_a_key(settings):
    entry = key(raw=b"CNRY sixteen ok!")
    settings.CONFLUENCE_LINK_VAULT_KEYS = [entry]

    (message,) = check_settings()

    assert entry.partition(":")[2] not in f"{message.msg} {message.hint}"


def test_a_developers_missing_key_is_a_warning(settings):
    settings.DEBUG = True
    settings.CONFLUENCE_LINK_VAULT_KEYS = []

    assert [message.level for message in check_settings()] == [WARNING]


@pytest.mark.parametrize(
    ("name", "value", "id_"),
    [
        ("SOCIALACCOUNT_STORE_TOKENS", True, "E002"),
        ("SOCIALACCOUNT_EMAIL_AUTHENTICATION", True, "E003"),
        ("CELERY_RESULT_BACKEND", "redis://127.0.0.1", "E004"),
        ("SESSION_ENGINE", "django.contrib.sessions.backends.signed_cookies", "E005"),
        ("PUBLIC_URL", "link.example.com", "E007"),
        ("PUBLIC_URL", "ftp://link.example.com", "E007"),
        ("PUBLIC_URL", "https://link.example.com/path", "E007"),
        ("PUBLIC_URL", "https://link.example.com?a=b", "E007"),
        ("PUBLIC_URL", "https://me@link.example.com", "E007"),
        ("PUBLIC_URL", "http://link.example.com", "E007"),
        ("CONFLUENCE_LINK_SWEEP_SECONDS", 0, "E010"),
        ("CONFLUENCE_LINK_MIN_REFRESH_SECONDS", -1, "E010"),
        ("CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND", 0, "E015"),
        ("ALLAUTH_TRUSTED_PROXY_COUNT", -1, "E011"),
    ],
)
def test_each_wrong_setting_is_told_with_what_to_do(settings, name, value, id_):
    setattr(settings, name, value)

    (message,) = check_settings()

    assert message.id == f"confluence_link.{id_}"
    assert message.hint


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_a_cache_of_each_process_is_an_error_in_production_only(settings, backend):
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    assert found() == ["E006"]

    settings.DEBUG = True
    assert found() == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000"]
)
def test_the_loopback_address_needs_no_tls(settings, url):
    settings.PUBLIC_URL = url

    assert found() == []


def test_an_operator_may_allow_http(settings):
    settings.PUBLIC_URL = "http://link.corp"
    settings.CONFLUENCE_LINK_ALLOW_HTTP = True

    assert found() == []


def test_a_stock_page_of_tokens_is_an_error():
    admin.site.register(SocialToken)
    try:
        assert found() == ["E008"]
    finally:
        admin.site.unregister(SocialToken)


def test_a_transaction_around_each_request_is_an_error(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)

    assert found() == ["E009"]
