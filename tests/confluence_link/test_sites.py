"""What a token reaches, and the linked sites kept true to it."""

from __future__ import annotations

import dataclasses

import pytest
from django.db.models import F

from confluence_link import linking, sites
from confluence_link.models import Event, Grant, LinkedSite
from tests import grants


@pytest.fixture
def linked_site(cloud_grant):
    return cloud_grant.linked_sites.get()


def _known(grant):
    return sites.known_sites(grants.again(grant).sites)


def test_a_site_that_is_no_longer_listed_is_lost_not_deleted(cloud_grant, linked_site):
    sites.keep_listed(grant=cloud_grant, sites=[])
    linked_site.refresh_from_db()
    assert linked_site.status == LinkedSite.Status.LOST
    assert Event.objects.filter(kind=Event.Kind.SITE_LOST).count() == 1


def test_a_lost_site_comes_back_with_its_settings(cloud_grant, linked_site):
    known = _known(cloud_grant)
    LinkedSite.objects.update(label="Our handbook")
    sites.keep_listed(grant=cloud_grant, sites=[])
    sites.keep_listed(grant=cloud_grant, sites=known)
    linked_site.refresh_from_db()
    assert linked_site.status == LinkedSite.Status.LINKED
    assert linked_site.label == "Our handbook"
    assert Event.objects.filter(kind=Event.Kind.SITE_BACK).count() == 1


def test_a_paused_site_stays_paused(cloud_grant, linked_site):
    LinkedSite.objects.update(status=LinkedSite.Status.PAUSED)
    known = _known(cloud_grant)
    sites.keep_listed(grant=cloud_grant, sites=[])
    sites.keep_listed(grant=cloud_grant, sites=known)
    linked_site.refresh_from_db()
    assert linked_site.status == LinkedSite.Status.PAUSED


def test_a_new_name_is_followed(cloud_grant, linked_site):
    (site,) = _known(cloud_grant)
    sites.keep_listed(
        grant=cloud_grant, sites=[dataclasses.replace(site, name="New name")]
    )
    linked_site.refresh_from_db()
    assert linked_site.name == "New name"


def test_listing_again_asks_atlassian(sandbox, cloud_grant, linked_site):
    sandbox.cloud.leave_site("alice", "northwind")
    linking.list_sites_again(grant=cloud_grant)
    linked_site.refresh_from_db()
    assert linked_site.status == LinkedSite.Status.LOST


def test_a_list_of_an_earlier_consent_changes_nothing(cloud_grant, linked_site):
    earlier = grants.again(cloud_grant)
    Grant.objects.update(epoch=F("epoch") + 1)
    sites.keep_listed(grant=earlier, sites=[])
    linked_site.refresh_from_db()
    assert linked_site.status == LinkedSite.Status.LINKED
    assert _known(cloud_grant)
