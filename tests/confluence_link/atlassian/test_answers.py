from __future__ import annotations

import json

import pytest

from confluence_link import errors
from confluence_link.atlassian.answers import checked, read, read_object
from confluence_link.http import Answer


def answered(status, body=b"", **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, names, content)


def error_of(*args, **headers):
    with pytest.raises(errors.ApiError) as caught:
        checked(answered(*args, **headers))
    return caught.value


V2 = {"errors": [{"status": 404, "code": "NOT_FOUND", "title": "x", "detail": None}]}
V1 = {"statusCode": 404, "message": "x", "data": {"authorized": True}}
GATEWAY = {"code": 404, "message": "x"}


@pytest.mark.parametrize("body", [V2, V1, GATEWAY, b"<html>x</html>", b""])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, errors.Unavailable),
        (400, errors.Rejected),
        (401, errors.NotPermitted),
        (403, errors.NotPermitted),
        (404, errors.NotFound),
        (405, errors.Rejected),
        (409, errors.Conflict),
        (410, errors.Rejected),
        (413, errors.Rejected),
        (429, errors.RateLimited),
        (500, errors.Unavailable),
        (503, errors.Unavailable),
    ],
)
def test_the_status_decides_whatever_the_body(status, kind, body):
    error = error_of(status, body)

    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_passes(status):
    answer = answered(status)

    assert checked(answer) is answer


def test_a_scope_mismatch_in_the_body_is_a_missing_scope():
    body = {"code": 401, "message": "Unauthorized; scope does not match"}

    assert type(error_of(401, body)) is errors.ScopeMissing


def test_a_scope_mismatch_in_the_header_is_a_missing_scope():
    category = "FAILURE_CLIENT_SCOPE_CHECK"

    error = error_of(401, b"", X_Failure_Category=category)
    assert type(error) is errors.ScopeMissing


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"title": "A page already exists with the same TITLE"}]},
        {"statusCode": 400, "message": "A page with this title already exists: x"},
    ],
)
def test_a_taken_title_is_a_conflict(body):
    assert type(error_of(400, body)) is errors.Conflict


def test_a_429_says_how_long_to_wait():
    assert error_of(429, b"", Retry_After="17").retry_after_seconds == 17
    assert error_of(429, b"").retry_after_seconds == 5


def test_a_503_says_how_long_to_wait_if_it_knows():
    assert error_of(503, b"", Retry_After="17").retry_after_seconds == 17
    assert error_of(503, b"").retry_after_seconds is None


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"atl_request_id": "ab-12"}, "ab-12"),
        ({"atl_traceid": "cd34"}, "cd34"),
        ({"atl_request_id": "<b>", "atl_traceid": "cd34"}, "cd34"),
        ({}, ""),
    ],
)
def test_an_error_keeps_the_id_that_atlassians_support_asks_for(headers, request_id):
    assert error_of(500, b"", **headers).request_id == request_id


def test_an_error_carries_nothing_of_the_body():
    error = error_of(403, {"message": "the body's own words"})

    assert "words" not in f"{error!r}{error}{vars(error)}"


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b'{"a":1,"a":2}'])
def test_a_success_that_is_no_json_is_no_answer(body):
    with pytest.raises(errors.Unavailable) as caught:
        read(answered(200, body, atl_traceid="cd34"))

    assert caught.value.status == 200
    assert caught.value.request_id == "cd34"


@pytest.mark.parametrize("body", [[], "text", 1, None])
def test_a_success_that_is_no_object_is_no_answer(body):
    with pytest.raises(errors.Unavailable):
        read_object(answered(200, body))
