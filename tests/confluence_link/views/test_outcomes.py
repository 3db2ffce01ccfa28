"""Every refusal and every error has words of its own, and none of the remote's."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import RequestFactory

import confluence_link
from confluence_link import errors
from confluence_link.errors import LinkRefused
from confluence_link.models import Grant
from confluence_link.views.outcomes import OUTCOMES, refusal_page, trouble_of
from confluence_link.views.outcomes.broken_answers import (
    BROKEN_ANSWERS,
    CONSENT_ENDED,
)
from tests import factories


@pytest.fixture
def asked(db):
    def asked(user=None):
        request = RequestFactory().get("/")
        request.user = user or AnonymousUser()
        request._messages = CookieStorage(request)
        return request

    return asked


def reasons_raised():
    """The reasons in the source: the first argument of each LinkRefused."""
    for path in Path(confluence_link.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and "LinkRefused" in ast.dump(node.func):
                yield from (
                    each.value
                    for each in ast.walk(node.args[0])
                    if isinstance(each, ast.Constant)
                )


def test_every_reason_that_is_raised_has_a_page():
    raised = set(reasons_raised())
    assert raised
    assert raised <= set(OUTCOMES)


@pytest.mark.parametrize("reason", sorted(OUTCOMES))
def test_a_refusal_says_what_happened_and_what_to_do_next(asked, reason):
    response = refusal_page(asked(), refused=LinkRefused(reason))
    assert response.status_code == 400
    html = response.content.decode()
    assert "What to do next" in html
    assert 'href="/"' in html


def test_an_unknown_reason_is_a_plain_page_too(asked):
    response = refusal_page(asked(), refused=LinkRefused("never-heard-of"))
    assert "The link was not made" in response.content.decode()
    assert "never-heard-of" not in response.content.decode()


def test_missing_scopes_are_named_in_words(asked, alice, organization):
    response = refusal_page(
        asked(alice),
        refused=LinkRefused("missing_scopes", scopes="search:confluence"),
        organization=organization,
        oauth_app=factories.make_oauth_app(provider_id="cloud"),
    )
    html = response.content.decode()
    assert "Search Confluence" in html
    assert f"/cloud/login/?organization={organization.slug}" in html


def test_scopes_without_an_app_are_escaped(asked):
    refused = LinkRefused("missing_scopes", scopes="<b>x</b>")
    assert "<b>x" not in refusal_page(asked(), refused=refused).content.decode()


def test_other_facts_are_not_shown(asked, alice):
    refused = LinkRefused("other_account", expected="Somebody", got="Else")
    html = refusal_page(asked(alice), refused=refused).content.decode()
    assert "Somebody" not in html
    assert "Else" not in html


def test_another_users_account_is_refused_neutrally(asked, alice):
    html = refusal_page(asked(alice), refused=LinkRefused("other_user")).content
    assert b"Nothing was linked or changed" in html
    assert b"another user" not in html


def test_only_staff_read_the_operators_words(asked, alice):
    refused = LinkRefused("configuration")
    ada = factories.make_user("Ada", is_staff=True)
    assert b"For operators" in refusal_page(asked(ada), refused=refused).content
    assert b"For operators" not in refusal_page(asked(alice), refused=refused).content


def every_error():
    return [
        errors.ReauthorizationRequired("revoked"),
        errors.TokenUnavailable(7),
        errors.TokenEndpointError("busy", error="html", status=429),
        errors.TransportError("dns", sent=False),
        errors.ApiError(418),
        errors.ScopeMissing(401),
        errors.NotPermitted(401),
        errors.NotPermitted(403),
        errors.NotFound(404),
        errors.Conflict(409),
        errors.Rejected(410),
        errors.RateLimited(429, retry_after_seconds=9),
        errors.Unavailable(503),
        errors.VaultError("damaged"),
        errors.NotInUse("anything"),
        errors.ConfluenceLinkError("anything"),
    ]


@pytest.mark.parametrize("error", every_error(), ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("creating", [False, True])
def test_every_error_has_words_and_a_status(error, creating):
    trouble = trouble_of(error, creating=creating)
    assert trouble.happened.endswith(".")
    assert trouble.outcome.next_step.endswith(".")
    assert trouble.status in {200, 403, 404, 409, 502, 503}


def test_every_error_class_has_a_line_of_its_own():
    own = {type(error) for error in every_error()} - {errors.ApiError}
    assert own == set(BROKEN_ANSWERS)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("person", "deactivated here"),
        ("organization", "organization is deactivated"),
        ("paused", "paused"),
        ("lost", "no longer reaches"),
        ("unlinked", "ended"),
    ],
)
def test_what_is_not_in_use_says_why(reason, words):
    trouble = trouble_of(errors.NotInUse(reason))
    assert words in trouble.happened
    assert trouble.outcome.next_step.endswith(".")


def test_no_answer_at_all_is_told_from_a_bad_answer():
    assert "reached" in trouble_of(errors.Unavailable(0)).outcome.title
    assert "trouble" in trouble_of(errors.Unavailable(500)).outcome.title


@pytest.mark.parametrize("reason", Grant.DeathReason)
def test_every_reason_of_death_is_explained(reason):
    trouble = trouble_of(errors.ReauthorizationRequired(reason))
    assert trouble.happened == CONSENT_ENDED[reason]


def test_a_dead_grant_without_a_reason_is_explained_too():
    trouble = trouble_of(errors.ReauthorizationRequired(""))
    assert trouble.happened == "The consent has ended."


def test_an_id_for_support_is_shown_only_if_it_is_one():
    good = errors.Unavailable(500, request_id="1f-AB-9")
    bad = errors.Unavailable(500, request_id="call +1 555 for help")
    assert trouble_of(good).request_id == "1f-AB-9"
    assert trouble_of(bad).request_id == ""


def test_a_wait_is_passed_on():
    assert trouble_of(errors.TokenUnavailable(7)).retry_after_seconds == 7
