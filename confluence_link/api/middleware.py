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
# Nothing that is asked for here is long.
MAX_BODY_BYTES: Final = 16 * 1024


class ApiMiddleware:
    """Refuses keys in addresses; errors are problems; nothing is kept by a cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(_ROOT):
            return self._get_response(request)
        try:
            _check_address(unquote_plus(request.get_full_path()))
            _check_length(request.META.get("CONTENT_LENGTH") or "0")
            response = _as_problem(self._get_response(request))
        except Problem as problem:
            response = response_to(problem)
        response["Cache-Control"] = "no-store"
        patch_vary_headers(response, ["Authorization"])
        return response


def _check_address(address: str) -> None:
    """Raises Problem: key_exposed. Its organization is told once an hour."""
    if not service_keys.looks_like_one(address):
        return
    key = service_keys.told_of(address)
    if key and rate_limits.allow(
        "key_exposed", key=key.prefix, limit=1, per_seconds=3600
    ):
        service_keys.record_exposed(key)
    raise Problem("key_exposed")


def _check_length(content_length: str) -> None:
    """Raises Problem: too_large, bad_request."""
    if not content_length.isdecimal():
        raise Problem("bad_request")
    # Python counts no further than 4,300 digits.
    if len(content_length) > 20 or int(content_length) > MAX_BODY_BYTES:
        raise Problem("too_large")


def _as_problem(response: HttpResponse) -> HttpResponse:
    """An error that Django made, without its page."""
    content_type = response.get("Content-Type", "")
    if response.status_code < 400 or content_type == CONTENT_TYPE:
        return response
    problem: HttpResponse = response_to(Problem(code_of(response.status_code)))
    if response.has_header("Allow"):
        problem["Allow"] = response["Allow"]
    return problem
