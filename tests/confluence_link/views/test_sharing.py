"""Sites that are shared, and sites that are their linker's alone, on every page."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Membership
from confluence_link.models import Event, LinkedSite
from tests import factories, grants, link_steps
from tests.confluence_link.views.addresses import sites_url, url

NORTHWIND = link_steps.cloud_id("northwind")
PAGES = {
    "linked_site": [],
    "search": [],
    "space": ["ENG"],
    "create_page": ["ENG"],
    "page": ["1001"],
    "timeline": [],
}


@pytest.fixture
def own_site(cloud_site):
    """Alice's Northwind, kept to herself."""
    cloud_site.shared = False
    cloud_site.save()
    return cloud_site


@pytest.fixture
def role_of_carol(carol):
    def role_of_carol(role):
        Membership.objects.filter(user=carol).update(role=role)

    return role_of_carol


# Choosing
# ------------------------------------------------------------------------------
@pytest.fixture
def confirm_url(alice_client, back):
    return link_steps.come_back(alice_client, back)["Location"]


def test_everyone_is_preselected_and_both_choices_are_explained(
    alice_client, confirm_url, organization
):
    page = alice_client.get(confirm_url).content.decode()
    assert '<input type="radio" name="who" value="all" checked>' in page
    assert '<input type="radio" name="who" value="me">' in page
    assert f"Everyone in {organization.name}, and its services" in page
    assert "with the rights of this account" in page


@pytest.mark.parametrize(
    ("who", "shared"), [("all", True), ("me", False), ("nonsense", False)]
)
def test_the_choice_is_kept(alice_client, confirm_url, who, shared):
    alice_client.post(confirm_url, {"sites": [NORTHWIND], "who": who})
    assert LinkedSite.objects.get().shared == shared


def test_the_choice_outlives_a_page_without_a_site(alice_client, confirm_url):
    page = alice_client.post(confirm_url, {"who": "me"}).content.decode()
    assert '<input type="radio" name="who" value="me" checked>' in page


def test_of_linked_sites_it_is_said_that_they_keep_theirs(
    alice_client, own_site, organization, sandbox
):
    started = link_steps.start(alice_client, "cloud", organization=organization)
    back = link_steps.consent_to_cloud(sandbox, started)
    confirm_url = link_steps.come_back(alice_client, back)["Location"]
    page = alice_client.get(confirm_url).content.decode()
    assert "keep what was chosen for them" in page
    alice_client.post(confirm_url, {"sites": [NORTHWIND], "who": "all"})
    assert not LinkedSite.objects.get().shared


# Seeing
# ------------------------------------------------------------------------------
@pytest.mark.parametrize("role", ["owner", "admin", "member"])
@pytest.mark.parametrize("name", PAGES)
def test_nobody_else_opens_its_pages(carol_client, own_site, role_of_carol, role, name):
    role_of_carol(role)
    assert carol_client.get(url(name, own_site, *PAGES[name])).status_code == 404


def test_its_linker_opens_them(alice_client, own_site):
    for name in ("linked_site", "timeline"):
        page = alice_client.get(url(name, own_site))
        assert page.status_code == 200
    assert "Only you" in alice_client.get(url("linked_site", own_site)).content.decode()


def test_a_member_does_not_see_that_it_is_there(carol_client, own_site, organization):
    page = carol_client.get(sites_url(organization)).content.decode()
    assert "Northwind" not in page
    assert "No site is linked yet" in page


def test_an_admin_sees_that_it_is_there_and_whose(
    carol_client, own_site, organization, role_of_carol, alice
):
    role_of_carol("admin")
    page = carol_client.get(sites_url(organization)).content.decode()
    assert "Northwind" in page
    assert f"Used by {alice.email} alone." in page
    assert url("unlink", own_site) in page
    for name in ("linked_site", "timeline"):
        assert f'href="{url(name, own_site)}"' not in page
    for hidden in ("Alice Adams", own_site.url, "Read pages"):
        assert hidden not in page


def test_an_admin_may_unlink_it_without_seeing_more(
    carol_client, own_site, role_of_carol, alice
):
    role_of_carol("admin")
    page = carol_client.get(url("unlink", own_site)).content.decode()
    assert f"{alice.email}, who alone uses this site here" in page
    assert own_site.url not in page
    assert carol_client.post(url("unlink", own_site)).status_code == 200
    assert not LinkedSite.objects.exists()


def test_a_member_cannot_unlink_what_they_do_not_see(carol_client, own_site):
    assert carol_client.post(url("unlink", own_site)).status_code == 404
    assert LinkedSite.objects.exists()


def test_the_page_before_leaving_does_not_name_it_to_others(
    carol_client, own_site, organization, role_of_carol
):
    role_of_carol("admin")
    answer = carol_client.get(
        link_steps.start_url("cloud"),
        {"organization": organization.slug, "reconnect": own_site.public_id},
    )
    assert answer.status_code == 404


def test_the_timeline_of_a_shared_site_names_no_other_site_of_the_account(
    alice_client, carol_client, cloud_app, organization, sandbox
):
    shared, own = link_steps.link_cloud(
        alice_client,
        sandbox,
        organization=organization,
        sites=("northwind", "riverside"),
    )
    LinkedSite.objects.filter(pk=own.pk).update(shared=False)
    page = carol_client.get(url("timeline", shared)).content.decode()
    assert "Northwind linked" in page
    assert "Riverside" not in page


# The switch
# ------------------------------------------------------------------------------
def test_the_linker_switches_to_and_fro(alice_client, cloud_site, organization):
    page = alice_client.post(url("share", cloud_site), {"who": "me"}, follow=True)
    assert "is used by alice@example.org alone" in page.content.decode()
    assert not LinkedSite.objects.get().shared
    page = alice_client.post(url("share", cloud_site), {"who": "all"}, follow=True)
    assert "is shared with Alice and Co and its services" in page.content.decode()
    assert LinkedSite.objects.get().shared


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_an_admin_ends_sharing_and_never_begins_it(
    carol_client, cloud_site, role_of_carol, role, carol
):
    role_of_carol(role)
    carol_client.post(url("share", cloud_site), {"who": "me"})
    assert not LinkedSite.objects.get().shared
    assert Event.objects.get(kind=Event.Kind.SITE_UNSHARED).actor == carol
    answer = carol_client.post(url("share", cloud_site), {"who": "all"})
    assert answer.status_code == 403
    assert not LinkedSite.objects.get().shared


def test_a_member_switches_nothing_of_others(carol_client, cloud_site):
    for who, status in (("me", 403), ("all", 403)):
        answer = carol_client.post(url("share", cloud_site), {"who": who})
        assert answer.status_code == status
    LinkedSite.objects.update(shared=False)
    assert carol_client.post(url("share", cloud_site)).status_code == 404


def test_the_switch_is_not_there_for_others(bob_client, cloud_site):
    assert bob_client.post(url("share", cloud_site)).status_code == 404
    asked = Client().post(url("share", cloud_site))
    assert asked["Location"].startswith("/accounts/login/")
    assert bob_client.get(url("share", cloud_site)).status_code == 405


def test_the_switch_wants_a_csrf_token(alice, cloud_site):
    strict = factories.sign_in(Client(enforce_csrf_checks=True), alice)
    assert strict.post(url("share", cloud_site)).status_code == 403
    assert LinkedSite.objects.get().shared


@pytest.mark.parametrize(
    ("role", "offered"), [("owner", True), ("admin", True), ("member", False)]
)
def test_who_may_is_offered_to_ask_for_a_reconnect(
    carol_client, cloud_site, organization, role_of_carol, role, offered
):
    role_of_carol(role)
    cloud_site.grant.status = "reconnect_needed"
    cloud_site.grant.save()
    page = carol_client.get(sites_url(organization)).content.decode()
    assert ("Ask alice@example.org to reconnect" in page) == offered


def test_a_site_of_data_center_is_kept_in_the_same_way(
    alice, alice_client, carol_client, data_center_app, organization, sandbox
):
    grants.link_data_center(
        sandbox, data_center_app, user=alice, organization=organization
    )
    site = LinkedSite.objects.for_organization(organization).get()
    assert carol_client.get(url("linked_site", site)).status_code == 200
    alice_client.post(url("share", site), {"who": "me"})
    assert carol_client.get(url("linked_site", site)).status_code == 404
