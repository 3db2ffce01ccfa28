"""Shows a Flask request to Authlib: parameters come from the query of a GET
and from the body of a POST, never from both."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request
from flask import Request
from werkzeug.datastructures import MultiDict


class Parameters(OAuth2Payload):
    def __init__(self, values: MultiDict[str, str]) -> None:
        self._values = values

    @property
    def data(self) -> dict[str, str]:
        return self._values

    @property
    def datalist(self) -> dict[str, list[Any]]:
        return {name: self._values.getlist(name) for name in self._values}


class LoopbackRequest(OAuth2Request):
    """Authlib refuses plain http (RFC 6749 section 3.1 wants TLS); on loopback
    it is told https rather than switched to insecure by an environment
    variable, which would leak into the process that runs the sandbox."""

    def __init__(self, request: Request) -> None:
        uri = "https" + request.url.removeprefix(request.scheme)
        super().__init__(request.method, uri, headers=dict(request.headers))
        self._values = _parameters(request)
        self.payload = Parameters(self._values)

    @property
    def form(self) -> dict[str, str]:
        return self._values


def _parameters(request: Request) -> MultiDict[str, str]:
    if request.method != "POST":
        return request.args
    if not request.is_json:
        return request.form
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return MultiDict()
    return MultiDict({k: v for k, v in body.items() if isinstance(v, str)})
