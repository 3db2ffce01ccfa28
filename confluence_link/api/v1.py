"""The API as it is mounted, with what its errors look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from confluence_link.api.keys import KeyAuth
from confluence_link.api.problems import CONTENT_TYPE, Problem, code_of, response_to
from confluence_link.api.routes import router

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from ninja.openapi.schema import OpenAPISchema


class Api(NinjaAPI):
    """Its description says what errors look like here."""

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**kwargs)
        for operations in schema["paths"].values():
            for operation in operations.values():
                _call_problems_so(operation["responses"])
        return schema


def _call_problems_so(responses: dict[int, dict[str, Any]]) -> None:
    for status, response in responses.items():
        if status >= 400:
            response["content"] = {CONTENT_TYPE: response["content"].popitem()[1]}


api = Api(
    title="Confluence Link",
    version="1",
    description="Shared linked sites of an organization, and access tokens for them.",
    # The page with forms loads scripts, and nobody needs it here.
    docs_url=None,
    auth=KeyAuth(),
)
api.add_router("", router)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return response_to(problem)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What was sent is not told again: it may be in the wrong place."""
    return response_to(Problem("bad_request"))


@api.exception_handler(HttpError)
def _other(request: HttpRequest, error: HttpError) -> HttpResponse:
    return response_to(Problem(code_of(error.status_code)))


@api.exception_handler(Exception)
def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """Django's to log and to answer; ninja's own would show a traceback."""
    raise error
