"""A site whose linker left, as each member sees it; and how it is taken over."""

from __future__ import annotations

import pytest
from django.urls import reverse

from confluence_link.models import LinkedSite, OAuthApp, VacantSite, database_now
from tests import link_steps


@pytest.fixture
def vacant(organization, cloud_app):
    return VacantSite.objects.create(
        public_id="the-old-id",
        organization=organization,
        oauth_app=cloud_app,
        site_id=link_steps.cloud_id("northwind"),
        name="Northwind",
        url="https://northwind.example.com",
        vacated_at=database_now(),
    )


@pytest.fixture
def for_carol(vacant, carol):
    VacantSite.objects.update(adopter=carol)
    return vacant


@pytest.fixture
def sites_url(organization):
    return reverse("confluence_link:linked_sites", args=[organization.slug])


def url_of(name, vacant):
    slug = vacant.organization.slug
    return reverse(f"confluence_link:{name}", args=[slug, vacant.public_id])


def start_url(vacant):
    start = reverse("confluence_login", args=[vacant.oauth_app.provider_id])
    return f"{start}?organization={vacant.organization.slug}&adopt={vacant.public_id}"


def shown(client, url):
    return client.get(url).content.decode().replace("&amp;", "&")


def test_who_is_asked_sees_the_button(for_carol, carol_client, sites_url):
    page = shown(carol_client, sites_url)
    assert "You are asked to take it over" in page
    assert start_url(for_carol) in page
    assert url_of("name_adopter", for_carol) not in page


def test_an_admin_sees_who_is_asked_and_can_ask_another(
    for_carol, alice_client, sites_url
):
    page = shown(alice_client, sites_url)
    assert "<strong>carol@example.org</strong> is asked to take it over" in page
    assert start_url(for_carol) not in page
    assert url_of("name_adopter", for_carol) in page
    assert url_of("drop_vacant_site", for_carol) in page


def test_a_member_sees_who_must_act(vacant, carol_client, sites_url):
    page = shown(carol_client, sites_url)
    assert "An owner or admin has to ask somebody" in page
    assert url_of("drop_vacant_site", vacant) not in page


def test_an_app_that_is_switched_off_has_no_button(for_carol, carol_client, sites_url):
    OAuthApp.objects.update(enabled=False)
    page = shown(carol_client, sites_url)
    assert start_url(for_carol) not in page
    assert "switched off at the moment" in page


def test_another_organization_sees_none_of_it(
    vacant, bob_client, other_organization, cloud_app
):
    url = reverse("confluence_link:linked_sites", args=[other_organization.slug])
    assert "Northwind" not in shown(bob_client, url)
    adopt = f"?organization={other_organization.slug}&adopt={vacant.public_id}"
    start = reverse("confluence_login", args=["cloud"]) + adopt
    assert "Northwind" not in shown(bob_client, start)


def test_the_page_before_leaving_names_the_site(for_carol, carol_client):
    page = shown(carol_client, start_url(for_carol))
    assert "You take <strong>Northwind</strong> over" in page


def test_from_the_button_to_the_site_under_its_old_address(
    sandbox, for_carol, carol_client, organization
):
    came_back = link_steps.consented_to_cloud(
        carol_client, sandbox, organization=organization, adopt=for_carol.public_id
    )
    page = carol_client.get(came_back["Location"])
    (choice,) = page.context["choices"]
    assert (choice["vacant"], choice["checked"]) == (True, True)
    link_steps.confirm(carol_client, came_back, sites=[for_carol.site_id])
    assert LinkedSite.objects.get().public_id == "the-old-id"
    assert not VacantSite.objects.exists()
    url = LinkedSite.objects.get().get_absolute_url()
    assert carol_client.get(url).status_code == 200


def test_an_admin_asks_somebody(vacant, alice_client, carol):
    url = url_of("name_adopter", vacant)
    alice_client.post(url, {"adopter": carol.email})
    assert VacantSite.objects.get().adopter == carol
    assert 'value="carol@example.org"' in shown(alice_client, url)
    alice_client.post(url, {"adopter": ""})
    assert VacantSite.objects.get().adopter is None


def test_who_is_no_member_is_not_asked(vacant, alice_client, bob):
    page = alice_client.post(url_of("name_adopter", vacant), {"adopter": bob.email})
    assert "Nobody with this address is a member here." in page.content.decode()
    assert VacantSite.objects.get().adopter is None


def test_an_admin_removes_it(vacant, alice_client):
    url = url_of("drop_vacant_site", vacant)
    assert "have to be told" in shown(alice_client, url)
    alice_client.post(url)
    assert not VacantSite.objects.exists()


@pytest.mark.parametrize("name", ["name_adopter", "drop_vacant_site"])
def test_members_decide_nothing_about_it(vacant, carol_client, name):
    assert carol_client.post(url_of(name, vacant)).status_code == 403
    assert VacantSite.objects.exists()


def test_the_page_asks_the_same_for_one_and_for_many(
    vacant, alice_client, sites_url, django_assert_num_queries, organization, alice
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    alice_client.get(sites_url)
    with CaptureQueriesContext(connection) as few:
        alice_client.get(sites_url)
    for number in range(40):
        VacantSite.objects.create(
            public_id=f"id-{number}",
            organization=organization,
            oauth_app=vacant.oauth_app,
            site_id=str(number),
            name="Another",
            url="https://another.example.com",
            former=alice,
            adopter=alice,
            vacated_at=database_now(),
        )
    with django_assert_num_queries(len(few)):
        alice_client.get(sites_url)
