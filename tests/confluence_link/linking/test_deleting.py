"""An organization or a person is deleted: secrets are gone, the record stays."""

from __future__ import annotations

import pytest

from accounts.models import Membership, Organization, ServiceKey, User
from confluence_link.linking import deleting
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    OAuthApp,
    SealedTokenSet,
    VacantSite,
    database_now,
)
from confluence_link.refresh import refresh_batch
from tests import factories, grants


@pytest.fixture
def site(cloud_grant):
    return cloud_grant.linked_sites.get()


@pytest.fixture
def own_server(data_center_app, organization):
    OAuthApp.objects.filter(pk=data_center_app.pk).update(organization=organization)
    return OAuthApp.objects.get(pk=data_center_app.pk)


@pytest.fixture
def elsewhere(site, alice):
    other = factories.make_organization("Elsewhere", owner=alice)
    return LinkedSite.objects.create(
        organization=other, grant=site.grant, site_id=site.site_id, name="N", url="u"
    )


# T18: organizations
# ------------------------------------------------------------------------------
def test_t18_the_secrets_of_a_deleted_organization_are_gone(
    sandbox, site, own_server, carol, organization, alice
):
    grants.link_data_center(sandbox, own_server, user=carol, organization=organization)
    deleting.delete_organization(organization=organization, actor=alice)
    assert not SealedTokenSet.objects.exists()
    assert not OAuthApp.objects.filter(provider_id="wiki").exists()
    assert Grant.objects.get().status == Grant.Status.UNLINKED


def test_t18_its_keys_are_dead(organization, alice):
    ServiceKey.objects.create(
        organization=organization, name="k", created_by=alice, created_at=database_now()
    )
    deleting.delete_organization(organization=organization, actor=alice)
    assert not ServiceKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_t18_queued_tasks_do_nothing(sandbox, site, organization, alice):
    grants.make_due(site.grant)
    deleting.delete_organization(organization=organization, actor=alice)
    assert refresh_batch([site.grant_id]) == []
    assert sandbox.cloud.statistics["exchange.refresh_token.ok"] == 0


def test_t18_the_record_stays_and_names_it(site, organization, alice):
    before = Event.objects.count()
    deleting.delete_organization(organization=organization, actor=alice)
    assert Event.objects.count() > before
    event = Event.objects.get(kind=Event.Kind.ORGANIZATION_DELETED)
    assert (event.actor, event.facts["name"]) == (alice, "Alice and Co")
    assert Event.objects.get(kind=Event.Kind.LINKED).facts["site"] == "Northwind"


def test_t18_tokens_stay_where_another_organization_uses_them(
    site, elsewhere, organization, alice
):
    deleting.delete_organization(organization=organization, actor=alice)
    assert LinkedSite.objects.get() == elsewhere
    assert SealedTokenSet.objects.exists()


def test_t18_another_organization_does_not_read_what_happened_in_it(
    site, elsewhere, organization, alice
):
    told_before = set(_told_of(site.grant))
    deleting.delete_organization(organization=organization, actor=alice)
    assert set(_told_of(site.grant)) <= told_before


def _told_of(grant):
    """What the timeline of any organization shows of a grant's events."""
    rows = Event.objects.filter(grant=grant, organization=None)
    return rows.values_list("pk", flat=True)


def test_t18_deleted_by_other_ways_the_secrets_go_as_well(site, organization):
    organization.delete()
    assert not SealedTokenSet.objects.exists()
    assert not VacantSite.objects.exists()
    assert Grant.objects.get().status == Grant.Status.UNLINKED
    assert not Event.objects.exclude(organization=None).exists()
    assert not Event.objects.filter(kind=Event.Kind.MEMBER_REMOVED).exists()


# People
# ------------------------------------------------------------------------------
@pytest.fixture
def two_owners(carol, organization):
    Membership.objects.filter(user=carol).update(role="owner")


def test_a_deleted_person_leaves_no_grant(site, elsewhere, two_owners, alice):
    deleting.delete_person(user=User.objects.get(pk=alice.pk))
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Grant.objects.exists()
    assert not SealedTokenSet.objects.exists()


def test_a_deleted_person_leaves_the_others_what_they_shared(site, two_owners, alice):
    deleting.delete_person(user=User.objects.get(pk=alice.pk))
    vacant = VacantSite.objects.get()
    assert (vacant.public_id, vacant.former) == (site.public_id, None)


def test_the_record_outlives_the_person(site, two_owners, alice):
    deleting.delete_person(user=User.objects.get(pk=alice.pk))
    event = Event.objects.get(kind=Event.Kind.MEMBER_LEFT)
    assert (event.actor, event.facts["who"]) == (None, "alice@example.org")
    assert Event.objects.filter(kind=Event.Kind.LINKED, grant=None).exists()


def test_an_organization_goes_with_the_only_one_in_it(
    site, elsewhere, two_owners, alice, organization
):
    deleting.delete_person(user=User.objects.get(pk=alice.pk))
    assert Organization.objects.get() == organization


def test_others_are_not_left_without_an_owner(site, alice, organization):
    with pytest.raises(deleting.OnlyOwner) as refused:
        deleting.delete_person(user=User.objects.get(pk=alice.pk))
    assert refused.value.organizations == [organization]
    assert SealedTokenSet.objects.exists()


def test_the_preview_sorts_a_persons_organizations(
    elsewhere, alice, carol, organization
):
    end = deleting.preview(alice)
    assert (end.blocking, end.deleted, end.left) == (
        [organization],
        [elsewhere.organization],
        [],
    )
    end = deleting.preview(carol)
    assert [each.organization for each in end.left] == [organization]
