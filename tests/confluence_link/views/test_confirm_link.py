"""The confirm-and-pick page: nothing is active before its button."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount
from django.db.models import F
from django.test import Client

from confluence_link import handoff, linking
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    OAuthApp,
    PendingLink,
    SealedTokenSet,
)
from tests import factories, link_steps
from tests.confluence_link.views.addresses import sites_url

NORTHWIND, RIVERSIDE = map(link_steps.cloud_id, ("northwind", "riverside"))


@pytest.fixture
def confirm_url(alice_client, back):
    """Where Alice picks and confirms; her token reaches Northwind."""
    return link_steps.come_back(alice_client, back)["Location"]


@pytest.fixture
def both_sites_url(alice_client, started, sandbox):
    """The same for a token that reaches Northwind and Riverside."""
    link_steps.consent_to_cloud(sandbox, started, site="riverside")
    back = link_steps.consent_to_cloud(sandbox, started)
    return link_steps.come_back(alice_client, back)["Location"]


def _checked(page):
    """The values of the boxes that are ticked, and of those that are not."""
    boxes = re.findall(
        r'name="sites" value="([^"]+)"( checked)?', page.content.decode()
    )
    ticked = [value for value, mark in boxes if mark]
    return ticked, [value for value, mark in boxes if not mark]


def _age(seconds):
    PendingLink.objects.update(created_at=F("created_at") - timedelta(seconds=seconds))


def test_l04_the_page_names_the_account_the_person_the_organization_and_the_sites(
    alice_client, both_sites_url, alice, organization
):
    page = alice_client.get(both_sites_url).content.decode()
    for words in ("Alice Adams", alice.email, organization.name, "Confluence Cloud"):
        assert words in page
    assert 'aria-current="true">Linked sites<' in page
    for words in ("Northwind", "/site/northwind", "Riverside", "/site/riverside"):
        assert words in page
    assert "Tickets" not in page


def test_a_single_site_is_ticked(alice_client, confirm_url):
    assert _checked(alice_client.get(confirm_url)) == ([NORTHWIND], [])


def test_of_several_sites_none_is_ticked(alice_client, both_sites_url):
    assert _checked(alice_client.get(both_sites_url)) == ([], [NORTHWIND, RIVERSIDE])


def test_a_site_that_is_linked_already_is_ticked_and_said_to_be(
    alice_client, organization, sandbox, both_sites_url, started
):
    alice_client.post(both_sites_url, {"sites": [RIVERSIDE]})
    again = link_steps.start(alice_client, "cloud", organization=organization)
    back = link_steps.consent_to_cloud(sandbox, again)
    page = alice_client.get(link_steps.come_back(alice_client, back)["Location"])
    assert _checked(page) == ([RIVERSIDE], [NORTHWIND])
    assert page.content.decode().count("Already linked") == 1


def test_l37_looking_at_the_page_makes_nothing_active(alice_client, confirm_url):
    alice_client.get(confirm_url)
    assert PendingLink.objects.count() == 1
    for model in (Grant, SealedTokenSet, LinkedSite, SocialAccount):
        assert not model.objects.exists()


def test_confirming_links_the_picked_sites_only(
    alice, alice_client, both_sites_url, organization
):
    done = alice_client.post(both_sites_url, {"sites": [RIVERSIDE]}, follow=True)
    assert "Linked: Riverside." in done.content.decode()
    linked_site = LinkedSite.objects.get()
    assert (linked_site.site_id, linked_site.organization) == (RIVERSIDE, organization)
    assert linked_site.linked_by == alice
    assert linked_site.condition == "connected"
    account = SocialAccount.objects.get()
    assert (account.user, account.provider) == (alice, "cloud")
    assert account.extra_data == {}
    assert not PendingLink.objects.exists()


def test_data_center_is_confirmed_in_the_same_way(
    alice, alice_client, data_center_app, organization, sandbox
):
    linked_site = link_steps.linked(
        alice_client, sandbox, organization=organization, deployment="data_center"
    )
    assert linked_site.site_id == sandbox.data_center.url
    assert linked_site.grant.account_name == "Dora Dahl"
    assert linked_site.grant.scopes == ["WRITE"]


@pytest.mark.parametrize("picked", [[], ["made-up"], [NORTHWIND, "made-up"]])
def test_without_a_valid_pick_the_page_comes_again(alice_client, confirm_url, picked):
    answer = alice_client.post(confirm_url, {"sites": picked})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert not LinkedSite.objects.exists()
    assert alice_client.post(confirm_url, {"sites": [NORTHWIND]}).status_code == 302


def test_cancelling_erases_what_was_pending(alice_client, confirm_url, organization):
    answer = alice_client.post(confirm_url, {"cancel": "1", "sites": [NORTHWIND]})
    assert answer["Location"] == sites_url(organization)
    assert not PendingLink.objects.exists()
    assert not Grant.objects.exists()


def test_nobody_else_sees_the_page(
    carol_client, bob_client, confirm_url, organization, other_organization
):
    assert link_steps.reason_of(carol_client.get(confirm_url)) == "pending_expired"
    assert bob_client.get(confirm_url).status_code == 404
    own = confirm_url.replace(organization.slug, other_organization.slug)
    assert link_steps.reason_of(bob_client.get(own)) == "pending_expired"
    assert Client().get(confirm_url)["Location"].startswith("/accounts/login/")


def test_the_page_of_another_organization_of_mine_does_not_confirm(
    alice, alice_client, confirm_url, organization
):
    second = factories.make_organization("Second", owner=alice)
    url = confirm_url.replace(organization.slug, second.slug)
    answer = alice_client.post(url, {"sites": [NORTHWIND]})
    assert link_steps.reason_of(answer) == "pending_expired"
    assert not LinkedSite.objects.exists()


def test_a_second_consent_of_the_same_account_replaces_the_first(
    alice_client, confirm_url, organization, sandbox
):
    started = link_steps.start(alice_client, "cloud", organization=organization)
    link_steps.come_back(alice_client, link_steps.consent_to_cloud(sandbox, started))
    assert PendingLink.objects.count() == 1
    assert link_steps.reason_of(alice_client.get(confirm_url)) == "pending_expired"


def test_an_app_that_was_switched_off_meanwhile_links_nothing(
    alice_client, confirm_url
):
    OAuthApp.objects.update(enabled=False)
    answer = alice_client.post(confirm_url, {"sites": [NORTHWIND]})
    assert link_steps.reason_of(answer) == "app_disabled"
    assert not Grant.objects.exists()


# Threats
# ------------------------------------------------------------------------------
def test_l36_a_session_key_that_was_planted_is_worth_nothing(alice, organization):
    browser = Client()
    planted = browser.session.session_key
    credentials = {"login": alice.email, "password": factories.PASSWORD}
    assert browser.post("/accounts/login/", credentials).status_code == 302
    assert browser.session.session_key != planted
    attacker = Client()
    attacker.cookies["sessionid"] = planted
    answer = attacker.get(organization.get_absolute_url())
    assert answer["Location"].startswith("/accounts/login/")


def test_l36_only_the_session_that_began_may_confirm(alice, confirm_url):
    elsewhere = factories.sign_in(Client(), alice)
    answer = elsewhere.post(confirm_url, {"sites": [NORTHWIND]})
    assert link_steps.reason_of(answer) == "pending_expired"
    assert not Grant.objects.exists()


def test_l37_confirming_needs_a_post_with_csrf_token_and_no_frame(
    alice_client, confirm_url
):
    page = alice_client.get(confirm_url)
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = alice_client.cookies
    assert strict.post(confirm_url, {"sites": [NORTHWIND]}).status_code == 403
    assert not Grant.objects.exists()


def test_l38_scopes_beyond_what_is_asked_are_kept_told_and_not_used(
    alice_client, cloud_app, confirm_url
):
    """The operator stopped asking for it while she was away."""
    more = "write:page:confluence"
    cloud_app.scopes = [scope for scope in cloud_app.scopes if scope != more]
    cloud_app.save()
    alice_client.post(confirm_url, {"sites": [NORTHWIND]})
    linked_site = LinkedSite.objects.get()
    assert more in linked_site.grant.scopes
    assert Event.objects.get(kind=Event.Kind.LINKED).facts["more_scopes"] == [more]
    handed = handoff.for_linked_site(linked_site=linked_site)
    assert "read:page:confluence" in handed.scopes
    assert more not in handed.scopes


def test_l42_after_fifteen_minutes_there_is_nothing_to_confirm(
    alice_client, confirm_url
):
    _age(15 * 60)
    answer = alice_client.post(confirm_url, {"sites": [NORTHWIND]})
    assert link_steps.reason_of(answer) == "pending_expired"
    linking.purge()
    assert not PendingLink.objects.exists()
    assert link_steps.reason_of(alice_client.get(confirm_url)) == "pending_expired"


def test_l42_before_that_it_is_kept(alice_client, confirm_url):
    _age(14 * 60)
    linking.purge()
    assert alice_client.post(confirm_url, {"sites": [NORTHWIND]}).status_code == 302


def test_a_refusal_is_recorded_where_it_was_asked_for(
    alice, alice_client, confirm_url, organization
):
    _age(15 * 60)
    alice_client.get(confirm_url)
    assert not Event.objects.exists()
    alice_client.post(confirm_url, {"sites": [NORTHWIND]})
    event = Event.objects.get()
    assert (event.kind, event.actor) == (Event.Kind.LINK_REFUSED, alice)
    assert event.organization == organization
    assert event.facts == {"reason": "pending_expired"}


def test_confirming_is_recorded_once_with_a_notice(alice, alice_client, confirm_url):
    alice_client.post(confirm_url, {"sites": [NORTHWIND]})
    event = Event.objects.get(kind=Event.Kind.LINKED)
    assert (event.actor, event.facts["site"]) == (alice, "Northwind")
    assert event.notice == Event.Notice.PENDING
