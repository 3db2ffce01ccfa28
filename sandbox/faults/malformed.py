"""Answers that were processed and then spoiled: the new tokens exist on the
other side, and the client must make what it can of the text."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from sandbox.faults.fault import Exchange, Fault, Preset


def _raw(make: Callable[[str], bytes]) -> Preset:
    """Replace the body by what `make` does to the honest text."""

    def preset(fault: Fault, exchange: Exchange) -> Response:
        response = exchange.process()
        response.set_data(make(response.get_data(as_text=True)))
        return response

    return preset


def _changed(change: Callable[[dict[str, Any]], object]) -> Preset:
    """Change members of an honest JSON object; errors pass unchanged."""

    def preset(fault: Fault, exchange: Exchange) -> Response:
        response = exchange.process()
        answer = response.get_json(silent=True)
        if response.status_code == 200 and isinstance(answer, dict):
            change(answer)
            response.set_data(json.dumps(answer))
        return response

    return preset


def _with(name: str, value: object) -> Preset:
    return _changed(lambda answer: answer.__setitem__(name, value))


def _without(*names: str) -> Preset:
    return _changed(lambda answer: [answer.pop(name, None) for name in names])


def _only(*names: str) -> Preset:
    def keep(answer: dict[str, Any]) -> None:
        for name in answer.keys() - set(names):
            del answer[name]

    return _changed(keep)


def _status(status: int) -> Preset:
    def preset(fault: Fault, exchange: Exchange) -> Response:
        response = exchange.process()
        response.status_code = status
        return response

    return preset


def _compressed(fault: Fault, exchange: Exchange) -> Response:
    """A small body that unpacks to 100 MB."""
    response = exchange.process()
    response.set_data(gzip.compress(b" " * 100_000_000))
    response.headers["Content-Encoding"] = "gzip"
    return response


def _cookie(fault: Fault, exchange: Exchange) -> Response:
    response = exchange.process()
    response.set_cookie("JSESSIONID", "CNRY-session")
    return response


def _repeated(text: str) -> bytes:
    return (text.rstrip()[:-1] + ', "access_token": "CNRY-second"}').encode()


MALFORMED: dict[str, Preset] = {
    "empty": _raw(lambda text: b""),
    "null": _raw(lambda text: b"null"),
    "list": _raw(lambda text: f"[{text}]".encode()),
    "string": _raw(lambda text: b'"ok"'),
    "not_a_number": _raw(lambda text: b'{"access_token": NaN}'),
    "cut_off": _raw(lambda text: text[: len(text) // 2].encode()),
    "duplicate_keys": _raw(_repeated),
    "deeply_nested": _raw(lambda text: b"[" * 100_000 + b"]" * 100_000),
    "bad_utf8": _raw(lambda text: text.encode() + b"\xff\xfe"),
    "byte_order_mark": _raw(lambda text: b"\xef\xbb\xbf" + text.encode()),
    "utf16": _raw(lambda text: text.encode("utf-16")),
    "compressed": _compressed,
    "sets_cookie": _cookie,
    "access_token_missing": _without("access_token"),
    "access_token_integer": _with("access_token", 12345),
    "access_token_list": _with("access_token", ["CNRY"]),
    "access_token_null": _with("access_token", None),
    "access_token_empty": _with("access_token", ""),
    "access_token_newline": _with("access_token", "CNRY\r\nX-Injected: 1"),
    "access_token_not_ascii": _with("access_token", "CNRYö"),
    "access_token_huge": _with("access_token", "CNRY" + "a" * 65_536),
    "expires_in_missing": _without("expires_in"),
    "expires_in_string": _with("expires_in", "3600"),
    "expires_in_fraction": _with("expires_in", "3600.5"),
    "expires_in_word": _with("expires_in", "soon"),
    "expires_in_true": _with("expires_in", True),
    "expires_in_null": _with("expires_in", None),
    "expires_in_negative": _with("expires_in", -5),
    "expires_in_zero": _with("expires_in", 0),
    "expires_in_huge": _with("expires_in", 10**20),
    "expires_in_not_a_number": _with("expires_in", float("nan")),
    "refresh_token_missing": _without("refresh_token"),
    "refresh_token_null": _with("refresh_token", None),
    "refresh_token_only": _only("refresh_token"),
    "scope_missing": _without("scope"),
    "error_with_200": _changed(
        lambda answer: answer.update(error="invalid_grant", error_description="no")
    ),
    "tokens_with_400": _status(400),
}
