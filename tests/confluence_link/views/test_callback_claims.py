"""Who may come back with what: everything else stops before the code is exchanged."""

from __future__ import annotations

import secrets
import time
from urllib.parse import quote

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    PendingLink,
    SealedTokenSet,
    UsedState,
)
from confluence_link.views.refusals import RECORDS_PER_HOUR
from tests import factories, link_steps


def _refusals():
    events = Event.objects.filter(kind=Event.Kind.LINK_REFUSED)
    return [(event.actor.first_name, event.facts["reason"]) for event in events]


def _sealed():
    return [
        list(model.objects.values()) for model in (Grant, SealedTokenSet, LinkedSite)
    ]


def test_l01_a_state_that_nobody_began_is_refused(alice_client, cloud_app, sandbox):
    path = link_steps.callback_path("cloud")
    state = secrets.token_urlsafe(32)
    answer = link_steps.come_back(alice_client, f"{path}?state={state}&code=made-up")
    assert link_steps.reason_of(answer) == "expired"
    assert link_steps.token_calls(sandbox) == 0
    assert not PendingLink.objects.exists()
    assert not UsedState.objects.exists()
    assert _refusals() == [("Alice", "expired")]


def test_l02_the_unused_callback_of_another_person_is_refused_and_ends_the_attempt(
    alice_client, back, bob_client, sandbox
):
    answer = link_steps.come_back(bob_client, back)
    assert link_steps.reason_of(answer) == "expired"
    # Whoever sent the address around has no use for it any more.
    assert link_steps.reason_of(link_steps.come_back(alice_client, back)) == "used"
    assert link_steps.token_calls(sandbox) == 0
    assert not PendingLink.objects.exists()
    assert _refusals() == [("Alice", "used"), ("Bob", "expired")]


def test_l03_an_authorization_url_given_to_someone_else_links_nothing(
    started, bob_client, sandbox
):
    back = link_steps.consent_to_cloud(
        sandbox, started, account="bob", site="riverside"
    )
    answer = link_steps.come_back(bob_client, back)
    assert link_steps.reason_of(answer) == "expired"
    stranger = link_steps.come_back(Client(), back)
    assert link_steps.reason_of(stranger) == "other_session"
    assert link_steps.token_calls(sandbox) == 0
    assert not PendingLink.objects.exists()


def test_r04_what_strangers_try_writes_nothing(back):
    for address in (back, back.replace("state=", "state=x")):
        link_steps.come_back(Client(), address)
    assert not Event.objects.exists()
    assert not UsedState.objects.exists()
    assert Session.objects.count() == 1


def test_r04_states_that_we_never_gave_out_write_a_bounded_record_only(
    alice_client, cloud_app
):
    path = link_steps.callback_path("cloud")
    for number in range(RECORDS_PER_HOUR + 20):
        link_steps.come_back(alice_client, f"{path}?state=x{number}&code=any")
    assert not UsedState.objects.exists()
    assert Event.objects.count() == RECORDS_PER_HOUR


def test_l04_credentials_posted_by_another_site_sign_nobody_in(alice):
    browser = Client(enforce_csrf_checks=True)
    credentials = {"login": alice.email, "password": factories.PASSWORD}
    assert browser.post("/accounts/login/", credentials).status_code == 403
    assert not Session.objects.exists()


def test_l05_a_finished_flow_cannot_be_replayed(
    alice_client, back, organization, sandbox
):
    came_back = link_steps.come_back(alice_client, back)
    link_steps.confirm(
        alice_client, came_back, sites=[link_steps.cloud_id("northwind")]
    )
    calls = link_steps.token_calls(sandbox)
    before = _sealed()
    again = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(again) == "used"
    assert "already used" in again.content.decode()
    assert link_steps.token_calls(sandbox) == calls
    assert _sealed() == before


def test_l07_an_attempt_of_eleven_minutes_ago_is_over(alice_client, back, sandbox):
    session = alice_client.session
    for stashed in session["socialaccount_states"].values():
        stashed[1] = time.time() - 11 * 60
    session.save()
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "expired"
    assert link_steps.token_calls(sandbox) == 0


def test_l08_of_fifty_attempts_the_newest_works_and_the_session_stays_small(
    alice_client, cloud_app, organization, sandbox
):
    for _ in range(50):
        started = link_steps.start(alice_client, "cloud", organization=organization)
    assert len(alice_client.session["socialaccount_states"]) == 10
    assert len(Session.objects.get().session_data) < 16_000
    back = link_steps.consent_to_cloud(sandbox, started)
    assert link_steps.come_back(alice_client, back).status_code == 303


@pytest.fixture
def second_wiki(data_center_app):
    """Another row for the same server, as another organization might have made it."""
    return factories.make_oauth_app(
        provider_id="wiki-2",
        base_url=data_center_app.base_url,
        client_id=data_center_app.client_id,
        scopes=["WRITE"],
    )


@pytest.mark.parametrize(
    ("begun", "presented"), [("cloud", "wiki"), ("wiki", "cloud"), ("wiki", "wiki-2")]
)
def test_l10_a_state_counts_at_the_callback_of_its_own_app_only(
    alice_client, cloud_app, second_wiki, organization, sandbox, begun, presented
):
    started = link_steps.start(alice_client, begun, organization=organization)
    state = link_steps.asked_of(started)["state"]
    url = f"{link_steps.callback_path(presented)}?state={state}&code=any"
    answer = link_steps.come_back(alice_client, url)
    assert link_steps.reason_of(answer) == "expired"
    assert link_steps.token_calls(sandbox) == 0


def test_l10_a_state_that_was_tried_elsewhere_is_used_up(
    alice_client, back, data_center_app, started, sandbox
):
    elsewhere = link_steps.callback_url(started, provider_id="wiki", code="any")
    link_steps.come_back(alice_client, elsewhere)
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "used"
    assert link_steps.token_calls(sandbox) == 0


def test_l11_a_server_that_sends_the_person_on_to_an_honest_one_gets_no_code(
    carol_client, cloud_app, data_center_app, organization, sandbox
):
    """The wiki plays the evil one: its page redirects to Cloud, with Cloud's client
    id and redirect URI and the state that it was given."""
    started = link_steps.start(carol_client, "wiki", organization=organization)
    honest = link_steps.start(carol_client, "cloud", organization=organization)
    asked = {
        **link_steps.asked_of(honest),
        "state": link_steps.asked_of(started)["state"],
    }
    own = {"account": "alice", "site": "northwind", "decision": "accept"}
    back = link_steps.decide(f"{sandbox.cloud.url}/authorize", {**asked, **own})
    answer = link_steps.come_back(carol_client, back)
    assert link_steps.reason_of(answer) == "expired"
    assert link_steps.token_calls(sandbox) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda own: "https://evil",
        lambda own: own.upper(),
        lambda own: f"{own}//",
        lambda own: f"{own}/path",
        lambda own: f"{own}@evil",
        lambda own: f"{own}.evil",
        lambda own: own.replace("127.0.0.1", "127.1"),
        lambda own: "",
    ],
)
def test_l13_an_answer_of_another_issuer_is_refused(
    alice_client, back, sandbox, change
):
    issuer = quote(change(sandbox.cloud.url))
    answer = link_steps.come_back(alice_client, f"{back}&iss={issuer}")
    assert link_steps.reason_of(answer) == "bad_request"
    assert link_steps.token_calls(sandbox) == 0


def test_l13_the_issuer_may_come_once(alice_client, back, sandbox):
    own = quote(sandbox.cloud.url)
    answer = link_steps.come_back(alice_client, f"{back}&iss={own}&iss={own}")
    assert link_steps.reason_of(answer) == "bad_request"
    assert link_steps.come_back(alice_client, f"{back}&iss={own}").status_code == 303


def test_l13_no_issuer_is_fine_since_neither_side_is_known_to_send_one(
    alice_client, back
):
    assert "iss=" not in back
    assert link_steps.come_back(alice_client, back).status_code == 303


def test_l13_a_data_centers_issuer_is_its_base_url(
    alice_client, data_center_app, organization, sandbox
):
    started = link_steps.start(alice_client, "wiki", organization=organization)
    back = link_steps.consent_to_data_center(sandbox, started)
    answer = link_steps.come_back(
        alice_client, f"{back}&iss={quote(sandbox.data_center.url)}"
    )
    assert answer.status_code == 303


def _injected(sandbox, client, organization, started):
    """The person's own attempt, with the code of another person's consent."""
    other = link_steps.start(client, "cloud", organization=organization)
    foreign = link_steps.consent_to_cloud(
        sandbox, other, account="bob", site="riverside"
    )
    code = foreign.partition("code=")[2].partition("&")[0]
    return link_steps.callback_url(started, code=code)


def test_l14_with_pkce_a_foreign_code_is_worth_nothing(
    alice_client, bob_client, other_organization, started, sandbox
):
    sandbox.cloud.behaviour.change({"pkce_checked": True})
    url = _injected(sandbox, bob_client, other_organization, started)
    answer = link_steps.come_back(alice_client, url)
    assert link_steps.reason_of(answer) == "code_refused"
    assert not PendingLink.objects.exists()


def test_l14_without_pkce_the_foreign_account_is_shown_and_nothing_is_active(
    alice_client, bob_client, other_organization, started, sandbox
):
    url = _injected(sandbox, bob_client, other_organization, started)
    came_back = link_steps.come_back(alice_client, url)
    page = alice_client.get(came_back["Location"]).content.decode()
    assert "Bob Baker" in page
    assert not Grant.objects.exists()
    assert not LinkedSite.objects.exists()
