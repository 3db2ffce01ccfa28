from __future__ import annotations

import pytest
from django.db import IntegrityError

from confluence_link.models import Grant, LinkedSite, OAuthAppHealth
from tests import factories


@pytest.fixture
def make_site(make_grant, organization):
    grant = make_grant()

    def make(**fields):
        defaults = {
            "organization": organization,
            "grant": grant,
            "site_id": f"site-{LinkedSite.objects.count()}",
            "name": "Northwind",
            "url": "https://northwind.example.com",
        }
        row = LinkedSite(**defaults | fields)
        factories.join(grant.user, row.organization)
        row.save()
        return row

    return make


def test_t03_an_organization_sees_its_own_linked_sites(
    make_site, organization, other_organization
):
    ours, theirs = make_site(), make_site(organization=other_organization)

    assert [*LinkedSite.objects.for_organization(organization)] == [ours]
    assert [*LinkedSite.objects.for_organization(other_organization)] == [theirs]


def test_a_list_needs_one_query(make_site, organization, django_assert_num_queries):
    for _ in range(3):
        make_site()

    with django_assert_num_queries(1):
        for site in LinkedSite.objects.for_organization(organization):
            str(site.grant.user), site.condition, site.get_absolute_url()


def test_a_site_is_linked_once_per_organization_and_grant(
    make_site, other_organization
):
    make_site(site_id="same")
    make_site(site_id="same", organization=other_organization)

    with pytest.raises(IntegrityError):
        make_site(site_id="same")


def test_a_label_goes_before_the_name(make_site):
    assert str(make_site()) == "Northwind"
    assert str(make_site(label="Our wiki")) == "Our wiki"


def test_sites_are_listed_by_name(make_site):
    for name in ("Beta", "Alpha", "Gamma"):
        make_site(name=name)

    assert [site.name for site in LinkedSite.objects.all()] == [
        "Alpha",
        "Beta",
        "Gamma",
    ]


def test_t04_its_page_is_named_by_random_ids(make_site, organization):
    site = make_site()

    assert site.get_absolute_url() == f"/o/{organization.slug}/sites/{site.public_id}/"


@pytest.mark.parametrize(
    ("site", "grant", "app_fails", "condition"),
    [
        ("linked", {}, False, "connected"),
        ("linked", {"consecutive_failures": 1}, False, "trouble"),
        ("linked", {}, True, "trouble"),
        ("linked", {"status": "reconnect_needed"}, True, "reconnect_needed"),
        ("linked", {"status": "unlinked"}, False, "disconnected"),
        ("lost", {}, False, "lost"),
        ("lost", {"consecutive_failures": 1}, False, "lost"),
        ("lost", {"status": "reconnect_needed"}, False, "reconnect_needed"),
        ("paused", {}, False, "paused"),
        ("linked", {"status": "paused"}, True, "paused"),
        ("paused", {"status": "unlinked"}, False, "disconnected"),
    ],
)
def test_its_condition_is_one_word(make_site, site, grant, app_fails, condition):
    row = make_site(status=site)
    Grant.objects.update(**grant)
    if app_fails:
        OAuthAppHealth.objects.create(oauth_app=row.grant.oauth_app, openings=1)

    assert LinkedSite.objects.get().condition == condition
    assert LinkedSite.objects.count_by_condition() == {condition: 1}


def test_t03_sites_are_counted_for_one_organization(
    make_site, organization, other_organization
):
    make_site()
    make_site()
    make_site(organization=other_organization)

    ours = LinkedSite.objects.for_organization(organization)

    assert ours.count_by_condition() == {"connected": 2}
