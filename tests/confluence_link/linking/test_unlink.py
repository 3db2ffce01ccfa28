from __future__ import annotations

import pytest

from confluence_link import linking
from confluence_link.errors import ReauthorizationRequired
from confluence_link.models import Event, Grant, LinkedSite, SealedTokenSet
from tests import factories, grants
from tests.confluence_link.linking.pendings import consent, make_pending, site


@pytest.fixture
def both(alice, organization, cloud_app):
    """Two linked sites of one grant."""
    pending = make_pending(
        user=alice,
        organization=organization,
        oauth_app=cloud_app,
        consent=consent(sites=(site("Northwind"), site("Riverside"))),
    )
    return linking.confirm(
        pending=pending, site_ids=["northwind", "riverside"], actor=alice
    )


def test_the_last_linked_site_takes_the_tokens_with_it(both, alice):
    first, last = both
    assert not linking.is_last_of_grant(first)
    linking.unlink(linked_site=first, actor=alice)
    assert SealedTokenSet.objects.exists()
    assert linking.is_last_of_grant(last)
    linking.unlink(linked_site=last, actor=alice)
    assert not SealedTokenSet.objects.exists()
    assert not LinkedSite.objects.exists()


def test_a_use_by_another_organization_keeps_the_tokens(both, alice):
    other = factories.make_organization("Other", owner=alice)
    grant = both[0].grant
    theirs = LinkedSite.objects.create(
        organization=other, grant=grant, site_id="northwind", name="N", url="https://n"
    )
    for linked_site in both:
        linking.unlink(linked_site=linked_site, actor=alice)
    assert LinkedSite.objects.get() == theirs
    assert Grant.objects.get().status == Grant.Status.ACTIVE
    assert SealedTokenSet.objects.exists()


def test_the_ended_grant_keeps_its_row_and_forgets_the_person(both, alice):
    before = Grant.objects.get()
    Grant.objects.update(lease_id="12345678123456781234567812345678")
    for linked_site in both:
        linking.unlink(linked_site=linked_site, actor=alice)
    grant = Grant.objects.get()
    assert grant.public_id == before.public_id
    assert (grant.status, grant.account_name, grant.sites) == ("unlinked", "", [])
    assert grant.epoch == before.epoch + 1
    assert grant.lease_id is None


def test_unlinking_what_is_unlinked_does_nothing(both, alice):
    first = both[0]
    stale = LinkedSite.objects.select_related("organization").get(pk=first.pk)
    linking.unlink(linked_site=first, actor=alice)
    linking.unlink(linked_site=stale, actor=alice)
    assert Event.objects.filter(kind=Event.Kind.UNLINKED).count() == 1
    assert SealedTokenSet.objects.exists()


def test_a_worker_or_operator_may_be_the_actor(both):
    for linked_site in both:
        linking.unlink(linked_site=linked_site, actor=None)
    assert Event.objects.get(kind=Event.Kind.GRANT_UNLINKED).actor is None


def test_listeners_hear_of_the_end_once(both, alice):
    heard = []

    def hear(sender, grant, **kwargs):
        heard.append(grant.public_id)

    linking.account_unlinked.connect(hear)
    try:
        for linked_site in both:
            linking.unlink(linked_site=linked_site, actor=alice)
    finally:
        linking.account_unlinked.disconnect(hear)
    assert heard == [both[0].grant.public_id]


# Listing the sites again
# ------------------------------------------------------------------------------
def test_a_site_that_the_account_has_left_is_marked_as_lost(cloud_grant, sandbox):
    sandbox.cloud.leave_site("alice", "northwind")
    linking.list_sites_again(grant=cloud_grant)
    assert LinkedSite.objects.get().status == LinkedSite.Status.LOST
    assert grants.again(cloud_grant).sites == []


def test_a_new_site_is_known_and_not_linked(cloud_grant, cloud_app, sandbox):
    decision = {"account": "alice", "site": "riverside", "decision": "accept"}
    grants.code_of(sandbox.cloud, cloud_app, "v" * 43, **decision)
    linking.list_sites_again(grant=cloud_grant)
    names = [one["name"] for one in grants.again(cloud_grant).sites]
    assert names == ["Northwind", "Riverside"]
    assert LinkedSite.objects.get().name == "Northwind"


def test_a_dead_grant_lists_nothing(cloud_grant, sandbox):
    Grant.objects.update(status="reconnect_needed", death_reason="revoked")
    asked = sandbox.cloud.statistics["request.sites"]
    with pytest.raises(ReauthorizationRequired):
        linking.list_sites_again(grant=grants.again(cloud_grant))
    assert sandbox.cloud.statistics["request.sites"] == asked


def test_what_ended_with_its_grant_meanwhile_is_unlinked(both, alice):
    Grant.objects.all().delete()
    linking.unlink(linked_site=both[0], actor=alice)
    assert not Event.objects.filter(kind=Event.Kind.UNLINKED).exists()
