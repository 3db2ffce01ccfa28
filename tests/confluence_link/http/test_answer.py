"""JSON without leniency, and the two headers that callers act upon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from requests.structures import CaseInsensitiveDict

from confluence_link.errors import TransportError
from confluence_link.http import Answer


def answer(body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(200, CaseInsensitiveDict(named), body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"null", None),
        (b"[]", []),
        (b'"x"', "x"),
        (
            b' {"a": [1, 2.5, true, {"b": "\xc3\xbc"}]} ',
            {"a": [1, 2.5, True, {"b": "ü"}]},
        ),
        (rb'"\ud83d\ude00"', "😀"),
        (b"[" * 64 + b"]" * 64, None),
    ],
)
def test_h05_json_is_read(body, value):
    found = answer(body).json()

    assert value is None or found == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sign in</html>",
        b"{} {}",
        b"NaN",
        b'{"a": Infinity}',
        b"[-Infinity]",
        b"1e999",
        b"-1e999",
        b"9" * 5000,
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 1}}',
        b"{'a': 1}",
        b"[1,]",
        b'"a\nb"',
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        "{}".encode("utf-16-le"),
        "{}".encode("utf-32"),
        rb'"\ud800"',
        rb'{"\udfff": 1}',
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_h05_anything_doubtful_is_malformed(body):
    with pytest.raises(TransportError) as caught:
        answer(body).json()

    assert (caught.value.reason, caught.value.sent) == ("malformed", True)
    assert caught.value.__context__ is None


def test_a_repr_shows_neither_body_nor_headers():
    assert repr(answer(b"s3cr3t", X="s3cr3t")) == "Answer(status=200)"


@pytest.mark.parametrize(
    ("found", "is_html"),
    [
        (answer(b"{}", Content_Type="application/json"), False),
        (answer(b"{}", content_type="Text/HTML; charset=utf-8"), True),
        (answer(b"", Content_Type="application/xhtml+xml"), True),
        (answer(b" \r\n<!doctype html>"), True),
        (answer(b""), False),
    ],
)
def test_h19_a_page_for_people_is_told_from_an_answer(found, is_html):
    assert found.is_html is is_html


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("-1", 1),
        ("0", 1),
        (" 30 ", 30),
        ("1000000000", 3600),
        ("9" * 300, 3600),
        ("soon", None),
        ("1e9", None),
        ("1.5", None),
        ("", None),
        ("٣", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 1),
        ("Wed, 21 Oct 9999 07:28:00 GMT", 3600),
        ("Wed, 21 Oct 2015 07:28:00 +9999999999999", None),
        ("Wed, 01 Jan 0001 00:00:00 +2300", 1),
    ],
)
def test_h16_retry_after_is_clamped_to_an_hour(text, seconds):
    assert answer(Retry_After=text).retry_after_seconds == seconds


def test_a_date_to_retry_after_becomes_seconds():
    moment = datetime.now(UTC) + timedelta(seconds=100)

    found = answer(Retry_After=format_datetime(moment, usegmt=True))

    assert 95 <= found.retry_after_seconds <= 100


def test_an_answer_without_retry_after_says_nothing():
    assert answer().retry_after_seconds is None
