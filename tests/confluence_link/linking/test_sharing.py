"""Sharing a linked site, and keeping it to its linker."""

from __future__ import annotations

import pytest

from confluence_link import linking
from confluence_link.models import Event, LinkedSite
from tests import factories, grants

ALICE = {"account": "alice", "site": "northwind", "decision": "accept"}


@pytest.fixture
def site(cloud_grant):
    return LinkedSite.objects.get(grant=cloud_grant)


def test_keeping_and_sharing_again_is_recorded_once_each(alice, organization, site):
    for _ in range(2):
        linking.keep_private(linked_site=site, actor=alice)
    site.refresh_from_db()
    assert not site.shared
    for _ in range(2):
        linking.share(linked_site=site, actor=alice)
    site.refresh_from_db()
    assert site.shared
    kinds = [Event.Kind.SITE_UNSHARED, Event.Kind.SITE_SHARED]
    told = Event.objects.filter(kind__in=kinds).order_by("pk")
    assert [event.kind for event in told] == kinds
    for event in told:
        assert (event.organization, event.actor) == (organization, alice)
        assert event.facts == {"site": "Northwind", "linked_site": site.public_id}


def test_linking_asks_who_may_use_it(sandbox, cloud_app, alice, organization):
    pending = linking.pend(
        consent=grants.consent_of(sandbox.cloud, cloud_app, **ALICE),
        oauth_app=cloud_app,
        user=alice,
        organization=organization,
        session_key="a-session",
    )
    ids = [row["site_id"] for row in pending.sites]
    (site,) = linking.confirm(pending=pending, site_ids=ids, actor=alice, shared=False)
    assert not site.shared


@pytest.mark.parametrize("shared", [True, False])
def test_linking_again_keeps_what_was_chosen(
    sandbox, cloud_app, alice, organization, site, shared
):
    LinkedSite.objects.update(shared=shared)
    pending = linking.pend(
        consent=grants.consent_of(sandbox.cloud, cloud_app, **ALICE),
        oauth_app=cloud_app,
        user=alice,
        organization=organization,
        session_key="a-session",
    )
    (again,) = linking.confirm(
        pending=pending, site_ids=[site.site_id], actor=alice, shared=not shared
    )
    assert again.pk == site.pk
    assert again.shared == shared


# Who sees and does what: the one place
# ------------------------------------------------------------------------------
@pytest.fixture
def who(alice, carol, organization):
    """Carol's memberships by role: of the linker (alice) nothing else differs."""

    def who(role):
        membership = factories.join(carol, organization)
        membership.role = role
        return membership

    return who


@pytest.mark.parametrize("role", ["owner", "admin", "member"])
def test_what_is_shared_is_seen_and_used_by_every_member(site, who, role):
    assert site in LinkedSite.objects.visible_to(who(role))
    assert site in LinkedSite.objects.usable_by(who(role))
    assert site.is_usable_by(who(role))


@pytest.mark.parametrize(
    ("role", "sees"), [("owner", True), ("admin", True), ("member", False)]
)
def test_what_is_not_is_seen_by_admins_and_used_by_its_linker(
    site, who, alice, organization, role, sees
):
    LinkedSite.objects.update(shared=False)
    site.refresh_from_db()
    assert (site in LinkedSite.objects.visible_to(who(role))) == sees
    assert site not in LinkedSite.objects.usable_by(who(role))
    assert not site.is_usable_by(who(role))
    own = factories.join(alice, organization)
    own.role = "member"
    assert site in LinkedSite.objects.visible_to(own)
    assert site in LinkedSite.objects.usable_by(own)


def test_services_reach_what_is_shared_in_their_organization(
    site, organization, other_organization
):
    assert [*LinkedSite.objects.for_services(organization)] == [site]
    assert not LinkedSite.objects.for_services(other_organization)
    LinkedSite.objects.update(shared=False)
    assert not LinkedSite.objects.for_services(organization)


@pytest.mark.parametrize(
    ("role", "may"), [("owner", True), ("admin", True), ("member", False)]
)
def test_only_the_linker_shares_and_admins_may_end_it(
    site, who, alice, organization, role, may
):
    other = who(role)
    assert not site.may_be_shared_by(other)
    assert site.may_be_unshared_by(other) == may
    assert site.may_be_unlinked_by(other) == may
    own = factories.join(alice, organization)
    own.role = "member"
    assert site.may_be_shared_by(own)
    assert site.may_be_unshared_by(own)
    assert site.may_be_unlinked_by(own)
