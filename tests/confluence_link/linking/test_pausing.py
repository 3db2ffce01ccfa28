"""T07: whoever is switched off is handed nothing, and nothing is refreshed for them."""

from __future__ import annotations

import pytest

from accounts.models import Organization, User
from confluence_link import handoff, linking
from confluence_link.client import ConfluenceClient
from confluence_link.errors import LinkRefused, NotInUse
from confluence_link.http import Deadline
from confluence_link.linking import pausing
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    SealedTokenSet,
    database_now,
)
from confluence_link.refresh import (
    Outcome,
    claim,
    due,
    refresh_batch,
    refresh_now,
    store,
)
from confluence_link.refresh.exchange import exchange
from tests import factories, grants

REFRESHED = "exchange.refresh_token.ok"


@pytest.fixture
def site(cloud_grant):
    return cloud_grant.linked_sites.select_related("grant__oauth_app").get()


@pytest.fixture
def switch(alice, organization):
    """Switches Alice or her organization off or on, as the admin does."""

    def switch(what, on=False):
        row = (
            User.objects.get(pk=alice.pk)
            if what == "person"
            else Organization.objects.get(pk=organization.pk)
        )
        row.is_active = on
        row.save()

    return switch


both = pytest.mark.parametrize("what", ["person", "organization"])


def _status():
    return Grant.objects.get().status


# Off
# ------------------------------------------------------------------------------
@both
def test_t07_nothing_is_handed_out_any_more(site, switch, what):
    switch(what)
    with pytest.raises(NotInUse, match=what):
        handoff.for_linked_site(linked_site=site)
    with pytest.raises(NotInUse, match=what):
        ConfluenceClient.for_linked_site(site).current_user()


@both
def test_t07_the_hand_off_asks_by_itself(site, alice, organization, what):
    """Also where a row was changed without anybody hearing of it."""
    model = User if what == "person" else Organization
    model.objects.update(is_active=False)
    assert _status() == Grant.Status.ACTIVE
    with pytest.raises(NotInUse, match=what):
        handoff.for_linked_site(linked_site=site)


@both
@pytest.mark.django_db(transaction=True)
def test_t07_nothing_is_refreshed_any_more(sandbox, site, switch, what):
    grants.make_due(site.grant)
    due.batches(database_now())
    switch(what)
    assert due.batches(database_now()) == []
    assert refresh_batch([site.grant_id]) == []
    assert refresh_now(grant_id=site.grant_id) is Outcome.NOT_DUE
    assert sandbox.cloud.statistics[REFRESHED] == 0


@both
def test_t07_the_grant_rests_and_keeps_its_tokens(site, switch, what):
    switch(what)
    assert _status() == Grant.Status.PAUSED
    assert SealedTokenSet.objects.exists()
    assert LinkedSite.objects.get().condition == "paused"
    assert Event.objects.filter(kind=Event.Kind.GRANT_PAUSED).count() == 1


def test_t07_one_organization_of_two_changes_nothing_for_the_other(site, switch, alice):
    other = factories.make_organization("Other", owner=alice)
    theirs = LinkedSite.objects.create(
        organization=other, grant=site.grant, site_id=site.site_id, name="N", url="u"
    )
    switch("organization")
    assert _status() == Grant.Status.ACTIVE
    assert handoff.for_linked_site(linked_site=theirs).access_token.value
    with pytest.raises(NotInUse, match="organization"):
        handoff.for_linked_site(linked_site=site)
    linking.unlink(linked_site=theirs, actor=alice)
    assert _status() == Grant.Status.PAUSED


def test_what_needs_a_new_consent_does_not_rest(site, switch):
    Grant.objects.update(status=Grant.Status.RECONNECT_NEEDED)
    switch("person")
    switch("person", on=True)
    assert _status() == Grant.Status.RECONNECT_NEEDED


def test_saying_it_twice_is_told_once(site, switch):
    switch("person")
    switch("person")
    pausing.follow(Grant.objects.all())
    assert Event.objects.filter(kind=Event.Kind.GRANT_PAUSED).count() == 1


# F47: on its way
# ------------------------------------------------------------------------------
@both
@pytest.mark.django_db(transaction=True)
def test_f47_an_answer_that_was_on_its_way_is_stored_and_not_served(site, switch, what):
    grants.make_due(site.grant)
    lease_id, (row,) = claim.lease_due([site.grant_id])
    leased = claim.open_leased(row, lease_id)
    switch(what)
    answer = exchange(leased, deadline=Deadline(30))
    assert store.store(
        grant=row,
        lease_id=lease_id,
        refresh_token=leased.refresh_token,
        token_set=answer,
        asked_at=leased.asked_at,
    )
    assert grants.tokens(site.grant)[0] == answer.access_token
    assert _status() == Grant.Status.PAUSED
    with pytest.raises(NotInUse):
        handoff.for_linked_site(linked_site=site)
    switch(what, on=True)
    given = handoff.for_linked_site(linked_site=site)
    assert given.access_token.value == answer.access_token


# On again
# ------------------------------------------------------------------------------
@both
@pytest.mark.django_db(transaction=True)
def test_t07_it_goes_on_where_it_stopped(sandbox, site, switch, what):
    switch(what)
    grants.make_due(site.grant)
    Grant.objects.update(refresh_at=database_now().replace(year=2099))
    switch(what, on=True)
    assert _status() == Grant.Status.ACTIVE
    (batch,) = due.batches(database_now())
    assert batch.ids == [site.grant_id]
    assert refresh_batch([site.grant_id]) == [Outcome.REFRESHED]
    assert Event.objects.filter(kind=Event.Kind.GRANT_RESUMED).count() == 1


def test_what_was_renewed_a_moment_ago_is_not_renewed_at_once(site, switch):
    planned = Grant.objects.get().refresh_at
    switch("person")
    switch("person", on=True)
    assert Grant.objects.get().refresh_at == planned


def test_both_must_be_on(site, switch):
    switch("person")
    switch("organization")
    switch("person", on=True)
    assert _status() == Grant.Status.PAUSED
    switch("organization", on=True)
    assert _status() == Grant.Status.ACTIVE


# A person's acts meanwhile
# ------------------------------------------------------------------------------
def test_a_resting_grant_can_be_unlinked(site, switch):
    switch("person")
    linking.unlink(linked_site=site, actor=None)
    assert _status() == Grant.Status.UNLINKED
    switch("person", on=True)
    assert _status() == Grant.Status.UNLINKED


def test_linking_again_ends_the_rest(sandbox, site, switch, cloud_app, alice):
    other = factories.make_organization("Other", owner=alice)
    switch("organization")
    grants.link_cloud(sandbox, cloud_app, user=alice, organization=other)
    assert _status() == Grant.Status.ACTIVE


@both
def test_t07_nobody_links_for_what_is_switched_off(
    sandbox, cloud_app, switch, what, alice, organization
):
    switch(what)
    with pytest.raises(LinkRefused, match="not_member"):
        grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
