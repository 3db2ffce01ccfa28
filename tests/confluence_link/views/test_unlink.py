"""Unlinking: says what stops, stops it, and leaves nothing sealed behind."""

from __future__ import annotations

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse

from accounts.models import Membership
from confluence_link.models import Event, Grant, LinkedSite, SealedTokenSet
from tests import factories, link_steps

CONSENT_PAGE = "https://id.atlassian.com/manage-profile/apps"


def _url(linked_site, organization=None):
    slug = (organization or linked_site.organization).slug
    return reverse("confluence_link:unlink", args=[slug, linked_site.public_id])


@pytest.fixture
def both_sites(alice_client, cloud_app, organization, sandbox):
    return link_steps.link_cloud(
        alice_client,
        sandbox,
        organization=organization,
        sites=("northwind", "riverside"),
    )


def test_the_page_says_what_stops_and_where_the_consent_ends(alice_client, linked_site):
    page = alice_client.get(_url(linked_site)).content.decode()
    assert "Unlink Northwind?" in page
    assert "The sealed tokens of this account are erased at once" in page
    assert f'href="{CONSENT_PAGE}"' in page
    assert "Atlassian gives no way to take back your consent from here" in page
    assert LinkedSite.objects.exists()


def test_the_page_names_the_sites_that_keep_the_account_linked(
    alice_client, both_sites
):
    page = alice_client.get(_url(both_sites[0])).content.decode()
    assert "The account stays linked, because these sites use it too" in page
    assert "<li>Riverside</li>" in page


def test_a_use_in_another_organization_is_not_told(
    carol, carol_client, cloud_app, organization, sandbox
):
    here = link_steps.linked(carol_client, sandbox, organization=organization)
    hidden = factories.make_organization("Hidden", owner=carol)
    link_steps.linked(carol_client, sandbox, organization=hidden)
    page = carol_client.get(_url(here)).content.decode()
    main = page[page.index("<main") :]
    assert "Hidden" not in main
    assert "If nothing else uses this account here" in main


@pytest.mark.parametrize("is_used_elsewhere", [True, False])
def test_who_unlinks_anothers_site_learns_nothing_of_other_organizations(
    alice_client,
    carol,
    carol_client,
    cloud_app,
    organization,
    sandbox,
    *,
    is_used_elsewhere,
):
    here = link_steps.linked(carol_client, sandbox, organization=organization)
    if is_used_elsewhere:
        hidden = factories.make_organization("Hidden", owner=carol)
        link_steps.linked(carol_client, sandbox, organization=hidden)
    asked = alice_client.get(_url(here)).content.decode()
    assert "If nothing else uses this account here" in asked
    assert "The sealed tokens" not in asked
    assert "The sealed tokens" not in alice_client.post(_url(here)).content.decode()


def test_unlinking_erases_the_tokens_and_allauths_account(alice_client, linked_site):
    page = alice_client.post(_url(linked_site)).content.decode()
    assert "Northwind is unlinked" in page
    assert f'href="{CONSENT_PAGE}"' in page
    assert not SealedTokenSet.objects.exists()
    assert not SocialAccount.objects.exists()
    assert not LinkedSite.objects.exists()
    assert Grant.objects.get().status == Grant.Status.UNLINKED


def test_unlinking_one_of_two_sites_keeps_the_tokens(alice_client, both_sites):
    alice_client.post(_url(both_sites[0]))
    assert LinkedSite.objects.get() == both_sites[1]
    assert SealedTokenSet.objects.exists()
    assert SocialAccount.objects.exists()
    assert Grant.objects.get().status == Grant.Status.ACTIVE


def test_data_center_has_its_own_page_for_the_consent(
    alice_client, data_center_app, organization, sandbox
):
    linked_site = link_steps.linked(
        alice_client, sandbox, organization=organization, deployment="data_center"
    )
    page = alice_client.post(_url(linked_site)).content.decode()
    assert f'href="{sandbox.data_center.url}/users/revokeoauthtokens.action"' in page


def test_an_unlinked_account_may_be_linked_by_someone_else(
    alice_client, bob, bob_client, linked_site, other_organization, sandbox
):
    alice_client.post(_url(linked_site))
    link_steps.linked(bob_client, sandbox, organization=other_organization)
    assert Grant.objects.get(status=Grant.Status.ACTIVE).user == bob
    assert SocialAccount.objects.get().user == bob


def test_linking_again_finds_the_same_grant(
    alice_client, linked_site, organization, sandbox
):
    before = Grant.objects.get()
    alice_client.post(_url(linked_site))
    again = link_steps.linked(alice_client, sandbox, organization=organization)
    assert again.grant.public_id == before.public_id
    assert again.grant.epoch > before.epoch
    assert again.condition == "connected"
    assert again.public_id != linked_site.public_id


def test_unlinking_twice_is_harmless(alice_client, linked_site):
    assert alice_client.post(_url(linked_site)).status_code == 200
    assert alice_client.post(_url(linked_site)).status_code == 404


def test_unlinking_is_recorded(alice, alice_client, linked_site, organization):
    alice_client.post(_url(linked_site))
    unlinked = Event.objects.get(kind=Event.Kind.UNLINKED)
    assert (unlinked.actor, unlinked.organization) == (alice, organization)
    assert unlinked.facts["site"] == "Northwind"
    assert Event.objects.get(kind=Event.Kind.GRANT_UNLINKED).actor == alice


# Who may
# ------------------------------------------------------------------------------
def test_a_member_may_not_unlink_what_someone_else_linked(carol_client, linked_site):
    assert carol_client.get(_url(linked_site)).status_code == 403
    assert carol_client.post(_url(linked_site)).status_code == 403
    assert LinkedSite.objects.exists()


@pytest.mark.parametrize("role", [Membership.Role.ADMIN, Membership.Role.OWNER])
def test_an_admin_or_owner_may(carol, carol_client, linked_site, role):
    Membership.objects.filter(user=carol).update(role=role)
    assert carol_client.post(_url(linked_site)).status_code == 200


def test_a_member_may_unlink_their_own(carol_client, cloud_app, organization, sandbox):
    linked_site = link_steps.linked(carol_client, sandbox, organization=organization)
    assert carol_client.post(_url(linked_site)).status_code == 200


def test_to_others_it_is_not_there(bob_client, linked_site, other_organization):
    for organization in (linked_site.organization, other_organization):
        assert bob_client.post(_url(linked_site, organization)).status_code == 404
    assert Client().post(_url(linked_site))["Location"].startswith("/accounts/login/")
    assert LinkedSite.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_sign_in_of_yesterday_is_asked_to_confirm(alice, linked_site, method):
    client = factories.sign_in(Client(), alice, seconds_ago=86_400)
    answer = getattr(client, method)(_url(linked_site))
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert LinkedSite.objects.exists()


def test_l37_unlinking_needs_a_post_with_csrf_token_and_no_frame(alice, linked_site):
    client = factories.sign_in(Client(enforce_csrf_checks=True), alice)
    page = client.get(_url(linked_site))
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert client.post(_url(linked_site)).status_code == 403
    assert LinkedSite.objects.exists()
