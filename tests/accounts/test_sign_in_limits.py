"""Who tries passwords and who has mails sent: limits that hold, and lock nobody out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.adapters import UNASKED_MAILS_PER_HOUR
from config.run.servers import temporary_server
from tests.factories import PASSWORD

LOGIN, SIGNUP, RESET = map(
    reverse, ("account_login", "account_signup", "account_reset_password")
)
TOO_MANY = "Too many failed login attempts"


class CountingHasher(MD5PasswordHasher):
    """The quick hasher of the tests, which counts how often it works."""

    work = 0

    def encode(self, password, salt):
        type(self).work += 1
        return super().encode(password, salt)


@pytest.fixture
def hashed(settings):
    """How many passwords were hashed since."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    CountingHasher.work = 0
    return lambda: CountingHasher.work


def try_in(email, password="wrong", *, source="198.51.100.7", **headers):
    """Signs in from an address; the browser, and whether it was let try."""
    browser = Client(REMOTE_ADDR=source)
    answer = browser.post(LOGIN, {"login": email, "password": password}, **headers)
    refused = answer.status_code == 429 or TOO_MANY in answer.content.decode()
    return browser, not refused


def is_in(browser):
    return "_auth_user_id" in browser.session


# R01
# ------------------------------------------------------------------------------
def leave():
    """Ends this thread's connections to the server."""
    for pool in cache._cache._pools.values():
        pool.disconnect()


@pytest.fixture
def valkey(settings):
    """The cache of production, with a server of its own."""
    with temporary_server("valkey") as url:
        settings.CACHES = {
            "default": {
                "BACKEND": "config.cache.SteadyCache",
                "LOCATION": url,
                "OPTIONS": {"socket_connect_timeout": 5, "socket_timeout": 5},
            }
        }
        yield url
        leave()


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_r01_of_two_hundred_wrong_passwords_at_once_five_are_tried(
    transactional_db, alice, valkey
):
    def one(_):
        try:
            return try_in(alice.email)[1]
        finally:
            leave()
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        tried = sum(pool.map(one, range(200)))

    assert 1 <= tried <= 5
    # In a new connection, as after a restart: the server counts, not the process.
    leave()
    assert not is_in(try_in(alice.email, PASSWORD)[0])
    assert is_in(try_in(alice.email, PASSWORD, source="203.0.113.9")[0])


def test_r01_wrong_passwords_lock_nobody_out_elsewhere(alice):
    for number in range(8):
        for _ in range(6):
            try_in(alice.email, source=f"198.51.100.{number}")

    assert not is_in(try_in(alice.email, PASSWORD, source="198.51.100.7")[0])
    assert is_in(try_in(alice.email, PASSWORD, source="203.0.113.9")[0])


@pytest.mark.django_db
def test_r01_one_source_cannot_try_many_people():
    tried = [try_in(f"person{number}@example.org")[1] for number in range(20)]

    assert tried == [True] * 10 + [False] * 10


# R02
# ------------------------------------------------------------------------------
@pytest.mark.parametrize(("proxies", "added"), [(0, ""), (1, ", 198.51.100.7")])
def test_r02_a_made_up_x_forwarded_for_gives_no_further_try(
    alice, settings, proxies, added
):
    """A proxy of ours appends the address that it saw."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    tried = [
        try_in(alice.email, headers={"X-Forwarded-For": f"203.0.113.{number}{added}"})[
            1
        ]
        for number in range(12)
    ]

    assert sum(tried) == 5


# R03
# ------------------------------------------------------------------------------
def test_r03_resets_for_one_address_are_few_and_from_one_source_too(alice):
    def ask(email, source):
        form = {"email": email}
        return Client(REMOTE_ADDR=source).post(RESET, form).status_code

    many_sources = [ask(alice.email, f"198.51.100.{number}") for number in range(8)]
    assert many_sources == [302] * 5 + [429] * 3
    assert len(mail.outbox) == 5
    cache.clear()
    many_targets = [
        ask(f"person{number}@example.org", "203.0.113.9") for number in range(22)
    ]
    assert many_targets == [302] * 20 + [429] * 2


def test_r03_who_asks_slowly_has_few_mails_an_hour_sent_as_well(alice, monkeypatch):
    """Within allauth's limits for a minute, and with the same page as ever."""
    answers = set()
    for minute in range(30):
        monkeypatch.setattr("time.time", lambda at=minute: 36_000_000 + at * 61.0)
        answer = Client().post(RESET, {"email": alice.email.upper()})
        answers.add((answer.status_code, answer.url))

    assert len(mail.outbox) == UNASKED_MAILS_PER_HOUR
    assert answers == {(302, reverse("account_reset_password_done"))}


def test_r03_signing_up_again_and_again_mails_the_known_address_once(alice):
    form = {"email": alice.email, "password1": PASSWORD, "password2": PASSWORD}
    answers = {Client().post(SIGNUP, form).url for _ in range(5)}

    assert len(mail.outbox) == 1
    assert answers == {reverse("account_email_verification_sent")}


def test_r03_one_source_signs_up_few(db):
    def sign_up(number):
        form = {"password1": PASSWORD, "password2": PASSWORD}
        return Client().post(SIGNUP, {"email": f"p{number}@example.org", **form})

    assert [sign_up(number).status_code for number in range(22)][-2:] == [429, 429]


@pytest.mark.django_db
def test_r03_an_address_is_verified_by_few_mails(client):
    form = {"password1": PASSWORD, "password2": PASSWORD}
    client.post(SIGNUP, {"email": "dora@example.org", **form})
    for _ in range(5):
        client.post(LOGIN, {"login": "dora@example.org", "password": PASSWORD})

    assert len(mail.outbox) == 1


@pytest.mark.parametrize("url", [SIGNUP, RESET], ids=["sign up", "reset"])
def test_r03_a_known_address_and_an_unknown_one_get_the_same_answer_and_work(
    alice, hashed, url
):
    def ask(email):
        browser, before = Client(), (hashed(), len(mail.outbox))
        form = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
        answer = browser.post(url, form)
        page = browser.get(answer.url).content.decode().replace(email, "")
        work = hashed() - before[0], len(mail.outbox) - before[1]
        return answer.status_code, answer.url, without_tokens(page), work

    assert ask(alice.email) == ask("nobody@example.org")


def test_r03_a_sign_in_of_nobody_takes_as_much_work(alice, hashed):
    try_in(alice.email)
    known = hashed()
    try_in("nobody@example.org")

    assert hashed() == 2 * known > 0


def without_tokens(page):
    """A page without the lines that differ each time."""
    return [line for line in page.splitlines() if "csrfmiddlewaretoken" not in line]
