"""The page before leaving, and what the authorization URL carries."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from confluence_link.models import Grant
from tests import factories, link_steps

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
def start_page(alice_client, cloud_app, organization):
    return alice_client.get(link_steps.start_url("cloud"))


def _policy(answer):
    parts = answer["Content-Security-Policy"].split("; ")
    return {name: set(rest) for name, *rest in (part.split() for part in parts)}


def test_the_page_says_for_which_organization_and_what_is_asked(
    start_page, organization
):
    page = start_page.content.decode()
    assert organization.name in page
    assert "Read pages" in page


def test_only_staff_sees_the_redirect_uri(start_page, admin_client, cloud_app):
    assert cloud_app.redirect_uri not in start_page.content.decode()
    staff_page = admin_client.get(link_steps.start_url("cloud")).content.decode()
    assert cloud_app.redirect_uri in staff_page


def test_only_the_forms_target_is_less_strict_than_elsewhere(
    start_page, alice_client, organization
):
    usual = _policy(alice_client.get(organization.get_absolute_url()))
    here = _policy(start_page)
    assert usual.pop("form-action") == {"'self'"}
    assert here.pop("form-action") == {"'self'", "http:"}
    assert here == usual


def test_an_authorization_server_with_tls_is_reached_over_tls_only(
    alice_client, cloud_app, organization, settings
):
    """Its sign-in pages may be on hosts that we do not know."""
    settings.CONFLUENCE_CLOUD_AUTHORIZE_URL = "https://auth.example.com/authorize"
    page = alice_client.get(link_steps.start_url("cloud"))
    assert _policy(page)["form-action"] == {"'self'", "https:"}


def test_the_page_is_never_cached(start_page):
    assert "no-store" in start_page["Cache-Control"]


def test_the_button_leads_to_the_authorization_server(
    alice_client, cloud_app, data_center_app, organization, sandbox
):
    to_cloud = link_steps.start(alice_client, "cloud", organization=organization)
    to_wiki = link_steps.start(alice_client, "wiki", organization=organization)
    assert to_cloud["Location"].startswith(f"{sandbox.cloud.url}/authorize?")
    assert to_wiki["Location"].startswith(
        f"{sandbox.data_center.url}/rest/oauth2/latest/authorize?"
    )


def test_a_foreign_organization_looks_like_none(
    alice_client, cloud_app, other_organization
):
    for slug in (other_organization.slug, "nowhere"):
        url = f"{link_steps.start_url('cloud')}?organization={slug}"
        assert alice_client.get(url).status_code == 404
        assert alice_client.post(url).status_code == 404


def test_another_organizations_app_and_a_disabled_one_are_not_there(
    alice_client, cloud_app, organization, other_organization
):
    factories.make_oauth_app(provider_id="bobs", organization=other_organization)
    factories.make_oauth_app(provider_id="off", enabled=False)
    for provider_id in ("bobs", "off", "nowhere"):
        started = link_steps.start(alice_client, provider_id, organization=organization)
        assert started.status_code == 404


def test_the_organization_chosen_on_the_page_wins(
    carol, carol_client, cloud_app, organization, sandbox
):
    second = factories.make_organization("Second", owner=carol)
    started = carol_client.post(
        f"{link_steps.start_url('cloud')}?organization={organization.slug}",
        {"organization": second.slug},
    )
    back = link_steps.consent_to_cloud(sandbox, started)
    came_back = link_steps.come_back(carol_client, back)
    assert came_back["Location"].startswith(f"/o/{second.slug}/")


# A sensitive act
# ------------------------------------------------------------------------------
def test_a_sign_in_of_yesterday_is_asked_to_confirm(alice, organization, cloud_app):
    client = factories.sign_in(Client(), alice, seconds_ago=86_400)
    answer = client.get(link_steps.start_url("cloud"))
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")


def test_the_button_alone_does_not_get_around_confirming(
    alice, organization, cloud_app
):
    client = factories.sign_in(Client(), alice, seconds_ago=86_400)
    started = link_steps.start(client, "cloud", organization=organization)
    start_url = link_steps.start_url("cloud")
    assert started["Location"] == f"{start_url}?organization={organization.slug}"
    page = client.get(started["Location"], follow=True)
    assert page.redirect_chain[-1][0].startswith("/accounts/reauthenticate/")


# Threats
# ------------------------------------------------------------------------------
def test_l15_every_authorization_url_has_a_challenge_and_shows_no_verifier(
    alice_client, cloud_app, organization
):
    challenges, states = set(), set()
    for _ in range(100):
        started = link_steps.start(alice_client, "cloud", organization=organization)
        asked = link_steps.asked_of(started)
        assert asked["code_challenge_method"] == "S256"
        assert "code_verifier" not in asked
        challenges.add(asked["code_challenge"])
        states.add(asked["state"])
    assert len(challenges) == len(states) == 100
    assert {len(one) for one in challenges} == {43}


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
    assert done["Location"] == organization.get_absolute_url()


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
    assert _policy(page)["frame-ancestors"] == {"'none'"}
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
