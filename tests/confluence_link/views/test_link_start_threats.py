"""What the address of the start page cannot do, and what nobody learns from it."""

from __future__ import annotations

from collections import Counter

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import rate_limits
from accounts.models import User
from confluence_link import checks, linking, vault
from confluence_link.models import Event, Grant
from confluence_link.oauth2_adapter import CODE_VERIFIER
from confluence_link.views.outcomes import OUTCOMES
from tests import factories, link_steps
from tests.confluence_link.views.addresses import sites_url

FOREIGN_TARGETS = (
    "//evil",
    "https://evil",
    "/\\evil",
    "javascript:x",
    "https:evil",
    "%0d%0aX:",
    "/%2f%2fevil",
)
HOSTILE = {
    "scope": "write:everything",
    "auth_params": "redirect_uri=https://evil/&client_id=evil&state=known&scope=admin"
    "&response_type=token",
    "audience": "evil",
    "prompt": "none",
    "redirect_uri": "https://evil/",
    "client_id": "evil",
    "response_type": "token",
    "process": "login",
    "code_challenge_method": "plain",
    "code_challenge": "known",
    "state": "known",
}


@pytest.fixture
def clock(monkeypatch):
    """What the limits see of the time; the rest of the world goes on."""

    class Clock:
        now = 60_000.0

        @classmethod
        def time(cls):
            return cls.now

    monkeypatch.setattr(rate_limits, "time", Clock)
    return Clock


def _verifier(client, state):
    """What the session keeps sealed."""
    record = linking.digest(state)
    stashed = client.session["socialaccount_states"][record][0]
    sealed = stashed["pkce_code_verifier"]
    return vault.open_text(CODE_VERIFIER, sealed, record=record)


def test_l15_every_authorization_url_has_a_challenge_and_shows_no_verifier(
    alice_client, carol_client, cloud_app, organization, caplog
):
    challenges, verifiers, told = [], [], []
    for client in [alice_client, carol_client] * 50:
        started = link_steps.start(client, "cloud", organization=organization)
        asked = link_steps.asked_of(started)
        assert asked["code_challenge_method"] == "S256"
        challenges.append(asked["code_challenge"])
        verifiers.append(_verifier(client, asked["state"]))
        told += [started["Location"], str(dict(client.session.items()))]
    assert len(set(challenges)) == len(set(verifiers)) == 100
    assert {len(one) for one in challenges} == {43}
    assert min(len(one) for one in verifiers) >= 43
    everything = "\n".join([*told, caplog.text])
    assert not [one for one in verifiers if one in everything]


def test_r04_of_a_hundred_starts_in_a_minute_the_last_ones_are_refused(
    alice_client, carol_client, cloud_app, organization, clock
):
    answers = [
        link_steps.start(alice_client, "cloud", organization=organization)
        for _ in range(100)
    ]
    assert Counter(answer.status_code for answer in answers) == {302: 60, 429: 40}
    refused = answers[-1]
    assert OUTCOMES["too_many"].title in refused.content.decode()
    assert refused["Retry-After"] == "60"
    assert not Event.objects.exists()
    assert len(alice_client.session["socialaccount_states"]) == 10
    others = link_steps.start(carol_client, "cloud", organization=organization)
    assert others.status_code == 302
    clock.now += 120
    later = link_steps.start(alice_client, "cloud", organization=organization)
    assert later.status_code == 302


def test_l16_the_challenge_cannot_be_chosen_by_the_address(
    alice_client, cloud_app, organization
):
    started = link_steps.start(
        alice_client, "cloud", organization=organization, **HOSTILE
    )
    asked = link_steps.asked_of(started)
    assert asked["code_challenge_method"] == "S256"
    assert asked["code_challenge"] != "known"


def test_l17_the_authorization_url_carries_our_values_only(
    alice_client, cloud_app, organization
):
    started = link_steps.start(
        alice_client, "cloud", organization=organization, **HOSTILE
    )
    asked = link_steps.asked_of(started)
    for name in ("state", "code_challenge", "code_challenge_method"):
        del asked[name]
    assert set(asked.pop("scope").split()) == set(cloud_app.scopes)
    assert asked == {
        "client_id": cloud_app.client_id,
        "redirect_uri": cloud_app.redirect_uri,
        "response_type": "code",
        "audience": "api.atlassian.com",
        "prompt": "consent",
    }


def test_l17_fields_of_the_form_count_as_little(alice_client, cloud_app, organization):
    started = alice_client.post(link_steps.start_url("cloud"), HOSTILE)
    asked = link_steps.asked_of(started)
    assert asked["redirect_uri"] == cloud_app.redirect_uri
    assert asked["prompt"] == "consent"
    assert set(asked["scope"].split()) == set(cloud_app.scopes)


@pytest.mark.parametrize("target", FOREIGN_TARGETS)
def test_l23_no_target_of_the_address_is_followed(
    alice_client, cloud_app, organization, sandbox, settings, target
):
    settings.ALLOWED_HOSTS = ["*"]
    started = link_steps.start(
        alice_client, "cloud", organization=organization, next=target
    )
    back = link_steps.consent_to_cloud(sandbox, started)
    came_back = link_steps.come_back(alice_client, f"{back}&next={target}")
    assert came_back["Location"].startswith(f"/o/{organization.slug}/link/pending/")
    done = link_steps.confirm(
        alice_client, came_back, sites=[link_steps.cloud_id("northwind")]
    )
    assert done["Location"] == sites_url(organization)


@pytest.mark.parametrize("target", FOREIGN_TARGETS)
@pytest.mark.parametrize("hosts", [["testserver"], ["*"]])
def test_l23_no_page_of_the_account_leads_elsewhere(alice, settings, hosts, target):
    settings.ALLOWED_HOSTS = hosts
    browser = Client()
    entry = {"login": alice.email, "password": factories.PASSWORD, "next": target}
    came = [
        browser.post("/accounts/login/", entry, query_params={"next": target}),
        browser.get("/accounts/login/", {"next": target}),
        browser.get("/accounts/signup/", {"next": target}),
        browser.post("/accounts/reauthenticate/", entry),
        browser.post("/accounts/password/reset/", {**entry, "email": alice.email}),
        browser.post("/accounts/logout/", {"next": target}),
    ]
    assert [answer.status_code for answer in came] == [302] * 6
    for answer in came:
        assert answer["Location"].startswith("/")
        assert "evil" not in answer["Location"]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("app", ["cloud_app", "data_center_app"])
def test_l31_an_anonymous_browser_cannot_even_begin(request, app, method):
    provider_id = request.getfixturevalue(app).provider_id
    browser = Client()
    url = f"{link_steps.start_url(provider_id)}?process=login"
    answer = getattr(browser, method)(url)
    assert answer["Location"].startswith("/accounts/login/?next=")
    assert not browser.cookies
    assert not User.objects.exists()
    assert not Session.objects.exists()


def test_l31_a_linked_account_is_offered_on_no_sign_in_page(
    alice_client, cloud_app, data_center_app, organization, sandbox
):
    link_steps.linked(alice_client, sandbox, organization=organization)
    browser = Client()
    for path in ("/accounts/login/", "/accounts/signup/"):
        words = browser.get(path).content.decode().split()
        targets = [word for word in words if word.startswith(("href=", "action="))]
        assert targets
        assert not [one for one in targets if "/accounts/confluence/" in one]
    for path in ("/accounts/3rdparty/signup/", "/accounts/confluence/login/"):
        assert browser.get(path).status_code == 404
    assert browser.get("/accounts/3rdparty/", follow=True).status_code == 200


def test_l37_leaving_needs_a_post_with_csrf_token_and_no_frame(
    alice, organization, cloud_app
):
    client = factories.sign_in(Client(enforce_csrf_checks=True), alice)
    page = client.get(link_steps.start_url("cloud"))
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    assert "socialaccount_states" not in client.session
    assert client.post(link_steps.start_url("cloud")).status_code == 403


def test_l41_the_redirect_uri_comes_from_the_public_url(
    alice_client, cloud_app, organization, settings
):
    settings.ALLOWED_HOSTS = ["*"]
    foreign = {"Host": "evil", "X-Forwarded-Host": "evil"}
    started = alice_client.post(link_steps.start_url("cloud"), headers=foreign)
    asked = link_steps.asked_of(started)
    assert asked["redirect_uri"] == (
        "http://testserver/accounts/confluence/cloud/login/callback/"
    )


def test_l41_the_redirect_uri_is_https_whatever_the_request_was(
    alice_client, cloud_app, organization, settings
):
    settings.PUBLIC_URL = "https://link.example"
    started = link_steps.start(alice_client, "cloud", organization=organization)
    assert link_steps.asked_of(started)["redirect_uri"] == (
        "https://link.example/accounts/confluence/cloud/login/callback/"
    )


def test_l41_an_address_without_https_stops_the_start(settings):
    settings.PUBLIC_URL = "http://link.example"
    settings.CONFLUENCE_LINK_ALLOW_HTTP = False
    assert "confluence_link.E007" in {found.id for found in checks.check_settings()}


def test_l41_a_foreign_host_is_refused(alice_client, cloud_app):
    url = link_steps.start_url("cloud")
    assert alice_client.get(url, headers={"Host": "evil"}).status_code == 400
    forwarded = alice_client.get(url, headers={"X-Forwarded-Host": "evil"})
    assert "evil" not in forwarded.content.decode()


def test_starting_writes_nothing_but_the_session(alice_client, cloud_app, organization):
    addresses = EmailAddress.objects.count()
    link_steps.start(alice_client, "cloud", organization=organization)
    assert not Grant.objects.exists()
    assert not SocialAccount.objects.exists()
    assert EmailAddress.objects.count() == addresses
