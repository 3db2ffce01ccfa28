from __future__ import annotations

import logging

import pytest

from config.logs import HideCallbackQuery


def _line(message: str, *args: object) -> str:
    record = logging.LogRecord("django.server", 20, "", 0, message, args, None)
    assert HideCallbackQuery().filter(record)
    return record.getMessage()


@pytest.mark.parametrize(
    "query", ["?code=secret&state=secret", "?state=secret#secret", "?error=secret"]
)
def test_query_of_a_callback_is_hidden(query):
    line = _line(
        '"%s %s" %s', "GET", f"/accounts/confluence/a/login/callback/{query}", 302
    )

    assert "secret" not in line
    assert line == '"GET /accounts/confluence/a/login/callback/?***" 302'


def test_query_of_a_callback_is_hidden_in_a_referer_too():
    referer = "https://link.example/accounts/confluence/a/login/callback/?code=secret"

    assert "secret" not in _line('"GET /static/style.css" 200 "%s"', referer)


def test_every_callback_of_a_line_is_hidden():
    line = _line("/a/callback/?code=secret then /b/callback/?code=secret")

    assert "secret" not in line


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/confirm-email/secret/",
        "/accounts/password/reset/key/secret/",
        "/invitations/secret/",
        "/link-invitations/secret/",
        "/server-setup/secret/",
    ],
)
def test_key_of_a_link_from_a_mail_is_hidden(path):
    assert "secret" not in _line('"GET %s HTTP/1.1" 200', path)


def test_clean_addresses_behind_a_mailed_one_stay_as_they_are():
    for path in ("/server-setup/", "/link-invitations/"):
        assert _line('"GET %s HTTP/1.1" 200', path) == f'"GET {path} HTTP/1.1" 200'


def test_arguments_of_a_hidden_line_are_gone():
    args = ("/callback/?code=secret",)
    record = logging.LogRecord("django.request", 30, "", 0, "Not Found: %s", args, None)

    HideCallbackQuery().filter(record)

    assert "secret" not in repr(vars(record))


def test_other_lines_stay_as_they_are():
    args = ("/o/alice/sites/abc/?cursor=2",)
    record = logging.LogRecord("django.server", 20, "", 0, "GET %s", args, None)

    HideCallbackQuery().filter(record)

    assert (record.msg, record.args) == ("GET %s", args)


def test_key_for_services_in_an_address_is_hidden():
    key = "clk_0123456789ab_" + "s3-_" * 10 + "abc"

    line = _line('"GET %s HTTP/1.1" 400', f"/api/v1/linked-sites?key={key}&x=1")

    assert line == '"GET /api/v1/linked-sites?key=clk_***&x=1 HTTP/1.1" 400'
