"""What stands on a membership ends with it, in the same transaction."""

from __future__ import annotations

import pytest
from django.db.models.signals import post_delete

from accounts import owners
from accounts.models import Invitation, Membership, ServiceKey
from confluence_link import handoff
from confluence_link.client import ConfluenceClient
from confluence_link.errors import LinkRefused, NotInUse, ReauthorizationRequired
from confluence_link.http import Deadline
from confluence_link.linking import leaving
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    LinkInvitation,
    PendingLink,
    SealedTokenSet,
    ServerSetup,
    VacantSite,
    database_now,
)
from confluence_link.refresh import claim, refresh_batch, store
from confluence_link.refresh.exchange import exchange
from tests import factories, grants
from tests.confluence_link.linking.pendings import make_pending


@pytest.fixture
def amy(organization):
    amy = factories.make_user("Amy")
    Membership.objects.create(organization=organization, user=amy, role="admin")
    return amy


@pytest.fixture
def site(sandbox, cloud_app, amy, organization):
    """Linked by Amy, shared."""
    grant = grants.link_cloud(sandbox, cloud_app, user=amy, organization=organization)
    return LinkedSite.objects.for_organization(organization).get(grant=grant)


@pytest.fixture
def elsewhere(site, amy):
    """Another organization that uses the same grant."""
    other = factories.make_organization("Elsewhere", owner=amy)
    return LinkedSite.objects.create(
        organization=other, grant=site.grant, site_id=site.site_id, name="N", url="u"
    )


@pytest.fixture
def end(amy, alice, organization):
    def end(actor=alice, **adopters):
        leaving.end_membership(
            membership=Membership.objects.get(organization=organization, user=amy),
            actor=actor,
            adopters=adopters,
        )

    return end


def _membership(user, organization):
    return Membership.objects.get(user=user, organization=organization)


# T05: what ends
# ------------------------------------------------------------------------------
def test_t05_removing_a_member_ends_their_linked_sites_and_tokens(site, end, amy):
    end()
    assert not Membership.objects.filter(user=amy).exists()
    assert not LinkedSite.objects.exists()
    assert not SealedTokenSet.objects.exists()
    assert Grant.objects.get().status == Grant.Status.UNLINKED


def test_t05_tokens_stay_where_another_organization_uses_them(site, elsewhere, end):
    end()
    assert LinkedSite.objects.get() == elsewhere
    assert SealedTokenSet.objects.exists()
    assert Grant.objects.get().status == Grant.Status.ACTIVE


def test_t17_leaving_one_organization_revokes_nothing_for_the_other(
    sandbox, site, elsewhere, end
):
    asked = sandbox.cloud.statistics.total("request.")
    end()
    assert sandbox.cloud.statistics.total("request.") == asked
    assert handoff.for_linked_site(linked_site=elsewhere).access_token.value


def test_t05_what_the_others_linked_stays(sandbox, data_center_app, carol, site, end):
    organization = site.organization
    grant = grants.link_data_center(
        sandbox, data_center_app, user=carol, organization=organization
    )
    end()
    assert LinkedSite.objects.get().grant == grant


def test_t05_keys_that_they_made_are_revoked_and_stay_on_record(
    site, end, amy, alice, organization
):
    for name, maker in (("theirs", amy), ("not theirs", alice)):
        ServiceKey.objects.create(
            organization=organization,
            name=name,
            prefix=name,
            created_by=maker,
            created_at=database_now(),
        )
    end()
    revoked = ServiceKey.objects.exclude(revoked_at=None)
    assert revoked.get().name == "theirs"
    assert ServiceKey.objects.count() == 2


def test_t05_what_they_had_sent_is_worth_nothing(
    site, end, amy, carol, organization, cloud_app
):
    times = {"created_at": database_now(), "expires_at": database_now()}
    sent = {"organization": organization, "invited_by": amy, **times}
    Invitation.objects.create(email="x@example.org", role="member", **sent)
    LinkInvitation.objects.create(
        user=carol, oauth_app=cloud_app, token_hash="1", **sent
    )
    ServerSetup.objects.create(oauth_app=cloud_app, email="x@example.org", **sent)
    received = {**sent, "invited_by": carol, "user": amy}
    LinkInvitation.objects.create(oauth_app=cloud_app, token_hash="2", **received)
    end()
    for model in (Invitation, LinkInvitation, ServerSetup):
        assert not model.objects.filter(revoked_at=None).exists()


def test_t05_a_link_that_waits_for_them_is_erased(
    site, end, amy, organization, cloud_app
):
    make_pending(user=amy, organization=organization, oauth_app=cloud_app)
    end()
    assert not PendingLink.objects.exists()


def test_t05_a_link_that_was_begun_is_refused(end, amy, organization, cloud_app):
    end()
    with pytest.raises(LinkRefused, match="not_member"):
        make_pending(user=amy, organization=organization, oauth_app=cloud_app)
    assert not PendingLink.objects.exists()


def test_t05_whoever_holds_the_row_is_handed_nothing(site, elsewhere, end):
    before = LinkedSite.objects.select_related("grant__oauth_app").get(pk=site.pk)
    end()
    with pytest.raises(NotInUse, match="unlinked"):
        handoff.for_linked_site(linked_site=before)
    with pytest.raises(NotInUse, match="unlinked"):
        ConfluenceClient.for_linked_site(before).current_user()


def test_t05_a_token_is_not_handed_out_once_nobody_uses_the_grant(site, end):
    end()
    with pytest.raises(ReauthorizationRequired, match="unlinked"):
        handoff.fresh_token(grant=site.grant)


@pytest.mark.django_db(transaction=True)
def test_t05_a_queued_task_does_nothing(sandbox, site, end):
    grants.make_due(site.grant)
    end()
    assert refresh_batch([site.grant_id]) == []
    assert sandbox.cloud.statistics["exchange.refresh_token.ok"] == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before send", "in flight"])
def test_t05_f45_a_refresh_under_way_is_fenced_and_dropped(site, end, moment):
    grants.make_due(site.grant)
    lease_id, (row,) = claim.lease_due([site.grant_id])
    leased = claim.open_leased(row, lease_id)
    if moment == "before send":
        end()
    answer = exchange(leased, deadline=Deadline(30))
    if moment == "in flight":
        end()
    assert not store.store(
        grant=row,
        lease_id=lease_id,
        refresh_token=leased.refresh_token,
        token_set=answer,
        asked_at=leased.asked_at,
    )
    assert not SealedTokenSet.objects.exists()
    assert Grant.objects.get().status == Grant.Status.UNLINKED


def test_t05_all_of_it_or_nothing(site, end, amy):
    def fail(**kwargs):
        raise RuntimeError("the last thing that happens")

    post_delete.connect(fail, sender=Membership)
    try:
        with pytest.raises(RuntimeError):
            end()
    finally:
        post_delete.disconnect(fail, sender=Membership)
    assert LinkedSite.objects.exists()
    assert SealedTokenSet.objects.exists()
    assert Membership.objects.filter(user=amy).exists()
    assert not VacantSite.objects.exists()


# What stays
# ------------------------------------------------------------------------------
def test_a_shared_site_leaves_its_id_and_settings_behind(site, end, amy):
    LinkedSite.objects.update(label="Handbook")
    end()
    vacant = VacantSite.objects.get()
    assert vacant.public_id == site.public_id
    assert (vacant.label, vacant.site_id, vacant.shared) == (
        "Handbook",
        site.site_id,
        True,
    )
    assert (vacant.former, vacant.adopter) == (amy, None)


def test_a_site_of_their_own_simply_ends(site, end):
    LinkedSite.objects.update(shared=False)
    end()
    assert not VacantSite.objects.exists()


def test_whoever_is_named_is_asked(site, end, carol, organization):
    end(**{site.public_id: _membership(carol, organization)})
    assert VacantSite.objects.get().adopter == carol
    event = Event.objects.get(kind=Event.Kind.ADOPTER_NAMED)
    assert event.facts["who"] == carol.email
    assert event.notice == Event.Notice.PENDING


def test_an_adopter_who_leaves_is_asked_no_more(site, end, carol, organization):
    asked = _membership(carol, organization)
    end(**{site.public_id: asked})
    leaving.end_membership(membership=asked, actor=carol)
    assert VacantSite.objects.get().adopter is None


@pytest.mark.parametrize("by_whom", ["amy", "alice"])
def test_the_record_says_who_left_or_was_removed(site, end, by_whom, amy, alice):
    Event.objects.all().delete()
    end(actor={"amy": amy, "alice": alice}[by_whom])
    kinds = Event.objects.order_by("pk").values_list("kind", flat=True)
    ended = "member.left" if by_whom == "amy" else "member.removed"
    assert list(kinds) == ["site.unlinked", "grant.unlinked", "site.vacated", ended]
    assert Event.objects.get(kind=ended).facts == {"who": amy.email, "role": "admin"}


# Before it happens
# ------------------------------------------------------------------------------
def test_the_preview_says_what_will_happen(site, amy, organization):
    (end,) = leaving.preview(membership=_membership(amy, organization), at_most=9).ends
    assert end.linked_site == site
    assert end.becomes_vacant
    LinkedSite.objects.update(shared=False)
    (end,) = leaving.preview(membership=_membership(amy, organization), at_most=9).ends
    assert not end.becomes_vacant


# T08: somebody owns it
# ------------------------------------------------------------------------------
def test_t08_the_only_owner_cannot_leave(alice, organization):
    with pytest.raises(owners.NoOwnerLeft):
        leaving.end_membership(membership=_membership(alice, organization), actor=alice)
    assert _membership(alice, organization)


def test_t08_an_owner_leaves_where_another_one_stays(alice, carol, organization):
    Membership.objects.filter(user=carol).update(role="owner")
    leaving.end_membership(membership=_membership(alice, organization), actor=alice)
    assert [each.user for each in organization.memberships.all()] == [carol]


# Other ways out: the admin, a cascade
# ------------------------------------------------------------------------------
def test_t05_a_membership_that_is_deleted_elsewhere_ends_the_links(site, amy):
    Membership.objects.filter(user=amy).delete()
    assert not LinkedSite.objects.exists()
    assert not SealedTokenSet.objects.exists()
    vacant = VacantSite.objects.get()
    assert (vacant.former, vacant.adopter) == (amy, None)
    assert Event.objects.get(kind=Event.Kind.MEMBER_REMOVED).actor is None


def test_t05_a_person_who_is_deleted_elsewhere_takes_the_grants_along(
    site, elsewhere, amy, organization
):
    amy.delete()
    assert not Grant.objects.exists()
    assert not SealedTokenSet.objects.exists()
    assert VacantSite.objects.get(organization=organization).former is None
    assert Event.objects.filter(kind=Event.Kind.UNLINKED, grant=None).exists()
