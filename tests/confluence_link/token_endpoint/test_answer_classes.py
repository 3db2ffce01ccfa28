"""Every answer of a token endpoint has its class (design 6).

Tests named after a number prove that line of 2.4 in the list of threats.
"""

from __future__ import annotations

import pytest

from tests.confluence_link.http.servers import Server, answering, body
from tests.confluence_link.token_endpoint.exchanges import (
    GOOD,
    answer_with,
    error,
    exchange_code,
    refresh,
    refusal,
)

HTML = "<!doctype html><title>Log in</title><h1>CNRY</h1>"
DEAD = {"error": "unauthorized_client", "error_description": "refresh_token is invalid"}
JSON_ERROR = {"code": 503, "message": "CNRY"}


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        # RFC 6749's word for a dead refresh token, whatever the status
        (403, error("invalid_grant"), ("refused", "invalid_grant")),
        (400, error("invalid_grant"), ("refused", "invalid_grant")),
        (401, {"error": "invalid_grant"}, ("refused", "invalid_grant")),
        # H11: an error beside tokens is an error
        (200, GOOD | error("invalid_grant"), ("refused", "invalid_grant")),
        # Atlassian's words for it
        (403, DEAD, ("refused", "unauthorized_client")),
        (
            403,
            error("unauthorized_client", "Unknown or invalid Refresh Token."),
            ("refused", "unauthorized_client"),
        ),
        # The same word in the RFC's sense
        (403, error("unauthorized_client"), ("configuration", "unauthorized_client")),
        (
            400,
            {"error": "unauthorized_client"},
            ("configuration", "unauthorized_client"),
        ),
        (
            400,
            error("unauthorized_client", "grant type refresh_token is not allowed"),
            ("configuration", "unauthorized_client"),
        ),
        # Our client is refused
        (
            401,
            error("access_denied", "Unauthorized"),
            ("configuration", "access_denied"),
        ),
        (403, error("access_denied"), ("configuration", "access_denied")),
        (401, {"error": "invalid_client"}, ("configuration", "invalid_client")),
        (400, {"error": "invalid_client"}, ("configuration", "invalid_client")),
        (400, error("invalid_request"), ("configuration", "invalid_request")),
        (
            400,
            error("invalid_request", "refresh_token is missing"),
            ("configuration", "invalid_request"),
        ),
        (400, error("invalid_scope"), ("configuration", "invalid_scope")),
        (
            400,
            error("unsupported_grant_type"),
            ("configuration", "unsupported_grant_type"),
        ),
        # Nobody is there, or somewhere else, even with an OAuth body
        (404, HTML, ("configuration", "no_endpoint")),
        (404, error("invalid_grant"), ("configuration", "no_endpoint")),
        (405, "", ("configuration", "no_endpoint")),
        (410, JSON_ERROR, ("configuration", "no_endpoint")),
        (300, "", ("configuration", "redirected")),
        (301, HTML, ("configuration", "redirected")),
        (302, error("invalid_grant"), ("configuration", "redirected")),
        (304, "", ("configuration", "redirected")),
        # Too much or too early, even with an OAuth body
        (408, "", ("busy", "rate_limited")),
        (425, "", ("busy", "rate_limited")),
        (429, JSON_ERROR, ("busy", "rate_limited")),
        (429, error("invalid_grant"), ("busy", "rate_limited")),
        # Their trouble, even with an OAuth body
        (500, HTML, ("uncertain", "unreadable")),
        (500, error("invalid_grant"), ("uncertain", "unreadable")),
        (502, "", ("uncertain", "unreadable")),
        (503, JSON_ERROR, ("uncertain", "unreadable")),
        (504, HTML, ("uncertain", "unreadable")),
        (599, HTML, ("uncertain", "unreadable")),
        # H19: somebody else speaks
        (200, HTML, ("uncertain", "malformed")),
        (201, GOOD, ("uncertain", "unreadable")),
        (202, "", ("uncertain", "unreadable")),
        (401, HTML, ("blocked", "no_oauth_answer")),
        (403, HTML, ("blocked", "no_oauth_answer")),
        (401, JSON_ERROR, ("blocked", "no_oauth_answer")),
        (403, "", ("blocked", "no_oauth_answer")),
        (400, HTML, ("blocked", "no_oauth_answer")),
        (407, HTML, ("blocked", "no_oauth_answer")),
        (413, HTML, ("blocked", "no_oauth_answer")),
        (451, HTML, ("blocked", "no_oauth_answer")),
        (400, error("temporarily_unavailable"), ("blocked", "no_oauth_answer")),
        # H11: tokens beside an error status are no tokens
        (400, GOOD, ("blocked", "no_oauth_answer")),
        (403, GOOD, ("blocked", "no_oauth_answer")),
        # Words that are none
        (400, error(["invalid_grant"]), ("blocked", "no_oauth_answer")),
        (400, error({"code": "invalid_grant"}), ("blocked", "no_oauth_answer")),
        (400, error(7), ("blocked", "no_oauth_answer")),
        (403, error(None), ("blocked", "no_oauth_answer")),
        (403, error("CNRY"), ("blocked", "no_oauth_answer")),
        (
            403,
            error("unauthorized_client", ["x"]),
            ("configuration", "unauthorized_client"),
        ),
        (200, error("CNRY"), ("blocked", "no_oauth_answer")),
    ],
)
def test_the_answer_to_a_refresh_has_its_class(
    sandbox, cloud_app, status, answer, expected
):
    answer_with(sandbox, answer, status)

    refused = refusal(refresh, cloud_app)

    assert (refused.answer, refused.error, refused.status) == (*expected, status)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error("invalid_grant"), "refused"),
        (error("invalid_request", "authorization_code is invalid"), "refused"),
        # A code that somebody made up must not open the breaker for everyone.
        (error("invalid_request"), "refused"),
        (error("unauthorized_client", "authorization_code is invalid"), "refused"),
        (error("unauthorized_client"), "configuration"),
        (error("unauthorized_client", "refresh_token is invalid"), "configuration"),
        (
            error("unauthorized_client", "no grant type authorization_code"),
            "configuration",
        ),
        (error("access_denied", "Unauthorized"), "configuration"),
        (error("invalid_client"), "configuration"),
        ("Invalid authorization code", "blocked"),
    ],
)
def test_the_answer_to_a_code_has_its_class(sandbox, cloud_app, answer, expected):
    answer_with(sandbox, answer, 403)

    assert refusal(exchange_code, cloud_app).answer == expected


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("invalid_grant", "refused"),
        ("refresh_token_is_invalid", "refused"),
        ("wrong_secret", "configuration"),
        ("invalid_client", "configuration"),
        ("unauthorized", "blocked"),
        ("rate_limited", "busy"),
        ("unavailable", "uncertain"),
        ("server_error", "uncertain"),
        ("blocked", "blocked"),
        ("login_page", "uncertain"),
        ("error_with_200", "refused"),
        ("tokens_with_400", "blocked"),
    ],
)
def test_what_the_sandbox_plays_has_its_class(
    sandbox, data_center_app, data_center_token_set, preset, expected
):
    sandbox.data_center.faults.add("token", preset, times=1)

    refused = refusal(refresh, data_center_app, data_center_token_set.refresh_token)

    assert refused.answer == expected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_l25_a_redirect_is_not_followed(sandbox, cloud_app, status):
    with Server(answering(body(b"{}"))) as elsewhere:
        sandbox.cloud.faults.add(
            "token", "redirect", status=status, location=elsewhere.url()
        )
        refused = refusal(refresh, cloud_app)

    assert (refused.answer, refused.error) == ("configuration", "redirected")
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("17", 17), ("-1", 1), ("1000000000", 3600), ("soon", 60), ("", 60)],
)
@pytest.mark.parametrize("status", [408, 425, 429])
def test_h16_nothing_is_sent_before_retry_after(
    sandbox, cloud_app, status, said, seconds
):
    answer_with(sandbox, "", status, **{"Retry-After": said})

    assert refusal(refresh, cloud_app).retry_after_seconds == seconds


def test_a_server_in_trouble_may_say_when_to_come_back(sandbox, cloud_app):
    answer_with(sandbox, HTML, 503, **{"Retry-After": "120"})
    assert refusal(refresh, cloud_app).retry_after_seconds == 120

    answer_with(sandbox, HTML, 503)
    assert refusal(refresh, cloud_app).retry_after_seconds is None
