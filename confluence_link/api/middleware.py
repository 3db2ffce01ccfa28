"""What holds for every answer below `/api/`, whoever makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from django.utils.cache import patch_vary_headers

from accounts import rate_limits, service_keys
from confluence_link.api.problems import CONTENT_TYPE, Problem, code_of, response_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

_ROOT: Final = "/api/"


class ApiMiddleware:
    """Refuses keys in addresses; errors are problems; nothing is kept by a cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(_ROOT):
            return self._get_response(request)
        address = unquote_plus(request.get_full_path())
        if service_keys.looks_like_one(address):
            _tell_owner(address)
            response: HttpResponse = response_to(Problem("key_exposed"))
        else:
            response = _as_problem(self._get_response(request))
        response["Cache-Control"] = "no-store"
        patch_vary_headers(response, ["Authorization"])
        return response


def _tell_owner(address: str) -> None:
    """Recorded once an hour, so that nobody fills the record with one key."""
    key = service_keys.told_of(address)
    if key and rate_limits.allow(
        "key_exposed", key=key.prefix, limit=1, per_seconds=3600
    ):
        service_keys.record_exposed(key)


def _as_problem(response: HttpResponse) -> HttpResponse:
    """An error that Django made, without its page."""
    content_type = response.get("Content-Type", "")
    if response.status_code < 400 or content_type == CONTENT_TYPE:
        return response
    problem: HttpResponse = response_to(Problem(code_of(response.status_code)))
    if response.has_header("Allow"):
        problem["Allow"] = response["Allow"]
    return problem
