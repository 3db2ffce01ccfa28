"""A site whose linker left waits under its id for whoever links it next."""

from __future__ import annotations

import pytest

from accounts.models import Membership
from confluence_link import linking
from confluence_link.linking import vacant_sites
from confluence_link.models import Event, LinkedSite, VacantSite, database_now
from tests import factories
from tests.confluence_link.linking.pendings import consent, make_pending, site

PUBLIC_ID = "the-old-id"


@pytest.fixture
def make_vacant(organization, cloud_app):
    def make(**fields):
        values = {
            "public_id": PUBLIC_ID,
            "organization": organization,
            "oauth_app": cloud_app,
            "site_id": "northwind",
            "name": "Northwind",
            "url": "https://northwind.test",
            "label": "Handbook",
            "vacated_at": database_now(),
        }
        return VacantSite.objects.create(**{**values, **fields})

    return make


@pytest.fixture
def vacant(make_vacant):
    return make_vacant()


@pytest.fixture
def link(carol, organization, cloud_app):
    """Carol links Northwind."""

    def link(user=carol, organization=organization, oauth_app=cloud_app, **options):
        account = consent(account_id=f"account-of-{user.pk}", sites=(site(),))
        pending = make_pending(
            user=user,
            organization=organization,
            oauth_app=oauth_app,
            consent=account,
        )
        (linked_site,) = linking.confirm(
            pending=pending, site_ids=["northwind"], actor=user, **options
        )
        return LinkedSite.objects.get(pk=linked_site.pk)

    return link


def test_whoever_links_the_site_next_takes_it_over(vacant, link, carol):
    linked_site = link()
    assert linked_site.public_id == PUBLIC_ID
    assert (linked_site.label, linked_site.shared) == ("Handbook", True)
    assert not VacantSite.objects.exists()
    event = Event.objects.get(kind=Event.Kind.SITE_ADOPTED)
    assert (event.actor, event.facts["linked_site"]) == (carol, PUBLIC_ID)


def test_a_link_that_is_kept_private_takes_nothing_over(vacant, link):
    assert link(shared=False).public_id != PUBLIC_ID
    assert VacantSite.objects.get() == vacant


def test_another_organization_takes_nothing_over(vacant, link, bob, other_organization):
    assert link(user=bob, organization=other_organization).public_id != PUBLIC_ID
    assert VacantSite.objects.get() == vacant


def test_another_app_takes_nothing_over(vacant, link):
    other = factories.make_oauth_app()
    assert link(oauth_app=other).public_id != PUBLIC_ID


def test_the_site_that_somebody_is_asked_about_goes_first(make_vacant, link, carol):
    make_vacant(public_id="older")
    make_vacant(adopter=carol)
    assert link().public_id == PUBLIC_ID
    assert VacantSite.objects.get().public_id == "older"


def test_a_link_that_others_use_keeps_its_id(link, make_vacant, carol):
    before = link().public_id
    make_vacant(adopter=carol)
    assert link().public_id == before
    assert VacantSite.objects.exists()


def test_a_private_link_takes_over_what_its_person_is_asked_for(
    link, make_vacant, carol
):
    link(shared=False)
    vacant = make_vacant()
    assert not link().shared
    vacant_sites.name_adopter(
        vacant_site=vacant,
        adopter=Membership.objects.get(user=carol),
        actor=None,
    )
    assert not link(shared=False).shared
    linked_site = link()
    assert (linked_site.public_id, linked_site.shared) == (PUBLIC_ID, True)


def test_who_is_gone_takes_nothing_over(vacant, carol, alice):
    carols = Membership.objects.get(user=carol)
    Membership.objects.filter(pk=carols.pk).delete()
    vacant_sites.name_adopter(vacant_site=vacant, adopter=carols, actor=alice)
    assert VacantSite.objects.get().adopter is None
    assert not Event.objects.filter(kind=Event.Kind.ADOPTER_NAMED).exists()


def test_nobody_may_be_asked(vacant, alice, carol):
    carols = Membership.objects.get(user=carol)
    vacant_sites.name_adopter(vacant_site=vacant, adopter=carols, actor=alice)
    assert VacantSite.objects.get().adopter == carol
    vacant_sites.name_adopter(vacant_site=vacant, adopter=None, actor=alice)
    assert VacantSite.objects.get().adopter is None
    assert Event.objects.filter(kind=Event.Kind.ADOPTER_NAMED).count() == 1


def test_a_site_is_let_go_once(vacant, alice):
    for _ in range(2):
        vacant_sites.drop(vacant_site=vacant, actor=alice)
    assert not VacantSite.objects.exists()
    assert Event.objects.filter(kind=Event.Kind.VACANT_SITE_DROPPED).count() == 1
