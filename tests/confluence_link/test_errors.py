"""Errors say who must act and whether trying again helps, and quote nobody."""

from __future__ import annotations

import inspect
import re

import pytest

from confluence_link import errors
from confluence_link.errors import ConfluenceLinkError

CLASSES = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, ConfluenceLinkError)
]


def depth(error):
    return error.__mro__.index(ConfluenceLinkError)


def test_the_tree_at_the_top_of_the_file_is_the_tree():
    drawn = re.findall(r"^    ([│├└─ ]*)([A-Z]\w+)", errors.__doc__, re.MULTILINE)

    assert {(name, len(branch) // 4) for branch, name in drawn} == {
        (error.__name__, depth(error)) for error in CLASSES
    }


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_says_what_it_is_for(error):
    assert error.__doc__


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errors.LinkRefused("other_user", expected="CNRY"), "other_user"),
        (errors.ReauthorizationRequired("revoked"), "revoked"),
        (errors.TokenUnavailable(30), "retry after 30 s"),
        (
            errors.TokenEndpointError("refused", error="invalid_grant", status=403),
            "refused: invalid_grant (403)",
        ),
        (errors.TransportError("dns", sent=False), "dns (not sent)"),
        (errors.TransportError("reset", sent=True), "reset (sent)"),
        (errors.ApiError(404, request_id="CNRY"), "status 404"),
        (errors.RateLimited(429, retry_after_seconds=5), "status 429"),
        (errors.Unavailable(0), "no answer"),
        (errors.Unavailable(503, retry_after_seconds=9), "status 503"),
        (errors.VaultError("key_missing", key_id="k1"), "key_missing k1"),
        (errors.VaultError("no_keys"), "no_keys"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_has_one_short_text_of_ours(error, text):
    assert str(error) == text


def test_an_error_carries_what_its_handler_needs():
    refused = errors.LinkRefused("missing_scopes", scopes="read:me search:confluence")
    assert refused.facts == {"scopes": "read:me search:confluence"}
    busy = errors.TokenEndpointError(
        "busy", error="rate_limited", status=429, retry_after_seconds=7
    )
    assert (busy.answer, busy.status, busy.retry_after_seconds) == ("busy", 429, 7)
    limited = errors.RateLimited(429, retry_after_seconds=5, request_id="r")
    assert (limited.retry_after_seconds, limited.request_id) == (5, "r")
    away = errors.Unavailable(503)
    assert (away.status, away.retry_after_seconds, away.request_id) == (503, None, "")
