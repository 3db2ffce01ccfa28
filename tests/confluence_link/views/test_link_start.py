"""The page before leaving, and what the authorization URL carries."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Organization
from tests import factories, link_steps


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


def test_only_staff_sees_the_redirect_uri(start_page, alice, alice_client, cloud_app):
    assert cloud_app.redirect_uri not in start_page.content.decode()
    type(alice).objects.update(is_staff=True)
    staff_page = alice_client.get(link_steps.start_url("cloud")).content.decode()
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


def test_who_is_in_no_organization_is_told_so_and_gets_none(
    carol, carol_client, cloud_app, organization
):
    organization.memberships.filter(user=carol).delete()
    for answer in (
        carol_client.get(link_steps.start_url("cloud"), follow=True),
        carol_client.post(link_steps.start_url("cloud"), follow=True),
    ):
        assert "You are in no organization" in answer.content.decode()
    callback = reverse("confluence_callback", args=["cloud"])
    refused = carol_client.get(callback, {"state": "unknown", "code": "x"})
    assert refused.status_code == 400
    assert f'href="{reverse("home")}"' in refused.content.decode()
    assert not Organization.objects.filter(memberships__user=carol).exists()


def test_without_a_name_it_is_the_organization_used_last(
    carol, carol_client, cloud_app, organization
):
    second = factories.make_organization("Second", owner=carol)
    carol_client.get(second.get_absolute_url())
    page = carol_client.get(link_steps.start_url("cloud"))
    assert page.context["organization"] == second


def test_the_frame_shows_the_organization(carol, carol_client, cloud_app, organization):
    second = factories.make_organization("Second", owner=carol)
    url = f"{link_steps.start_url('cloud')}?organization={second.slug}"
    page = carol_client.get(url)
    assert page.context["membership"].organization == second
    current = [tab["words"] for tab in page.context["tabs"] if tab["current"]]
    assert current == ["Linked sites"]


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
