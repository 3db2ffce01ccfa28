"""Errors that a program can act on: a stable `code`, and whether to come back.

Reference: https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

from typing import Final

from django.http import JsonResponse

CONTENT_TYPE: Final = "application/problem+json"

# By code: the status, and what it means. Codes never change their meaning.
PROBLEMS: Final[dict[str, tuple[int, str]]] = {
    "bad_request": (400, "The request is not one that this address takes."),
    "key_exposed": (
        400,
        "A key stood in the address, where others may have read it. Revoke it, make"
        " another one, and send it in the header Authorization.",
    ),
    "unauthorized": (401, "No key that works came with the request."),
    "forbidden": (403, "The key may not do this."),
    "not_found": (404, "There is nothing here that the key may see."),
    "method_not_allowed": (405, "The address does not take this method."),
    "paused": (409, "The linked site is not in use at the moment."),
    "lost": (409, "The linked account does not reach this site any more."),
    "reconnect_needed": (409, "The person who linked the account must reconnect."),
    "shared_grant": (
        409,
        "The access token reaches sites that the organization does not use, so it is"
        " not handed out.",
    ),
    "too_large": (413, "The request is too large."),
    "too_many": (429, "Too many requests failed. Wait, then try again."),
    "internal": (500, "Something went wrong here."),
    "unavailable": (503, "There is no fresh access token at this moment."),
    "vault_unavailable": (503, "A sealed token cannot be opened. Operators must act."),
}


class Problem(Exception):
    """Ends a request with the problem of this code."""

    def __init__(self, code: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_seconds = retry_after_seconds


def response_to(problem: Problem) -> JsonResponse:
    status, title = PROBLEMS[problem.code]
    body = {"status": status, "code": problem.code, "title": title}
    response = JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if problem.retry_after_seconds is not None:
        response["Retry-After"] = str(problem.retry_after_seconds)
    return response


def code_of(status: int) -> str:
    """The general code of an error that came without one."""
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    return codes.get(status, "bad_request" if status < 500 else "internal")
