from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Membership
from confluence_link import linking, vault
from confluence_link.errors import LinkRefused, VaultError
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    OAuthApp,
    PendingLink,
    SealedTokenSet,
    database_now,
)
from tests.confluence_link.linking.pendings import consent, make_pending, site

BOTH = (site("Northwind"), site("Riverside"))


@pytest.fixture
def own(alice, organization, cloud_app):
    return {"user": alice, "organization": organization, "oauth_app": cloud_app}


def _confirm(own, *site_ids, **fields):
    pending = make_pending(**own, **fields)
    return linking.confirm(
        pending=pending, site_ids=site_ids or ("northwind",), actor=own["user"]
    )


def test_the_picked_sites_are_linked_and_the_others_known(own):
    linked = _confirm(own, "riverside", consent=consent(sites=BOTH))
    assert [one.name for one in linked] == ["Riverside"]
    grant = Grant.objects.get()
    assert [one["name"] for one in grant.sites] == ["Northwind", "Riverside"]
    assert not PendingLink.objects.exists()


@pytest.mark.parametrize("picked", [[], ["elsewhere"], ["northwind", "elsewhere"]])
def test_a_pick_that_the_token_does_not_reach_is_refused(own, picked):
    pending = make_pending(**own)
    with pytest.raises(LinkRefused, match="no_sites_picked"):
        linking.confirm(pending=pending, site_ids=picked, actor=own["user"])
    assert PendingLink.objects.exists()


def test_a_new_grant_is_active_and_due_before_its_token_ends(own):
    _confirm(own)
    grant = Grant.objects.get()
    assert (grant.status, grant.epoch, grant.generation) == ("active", 1, 1)
    assert grant.consented_at < grant.refresh_at < grant.expires_at
    assert grant.expires_at - grant.consented_at == timedelta(hours=1)


def test_linking_notes_when_the_account_was_read(own):
    _confirm(own)
    Grant.objects.update(account_read_at=None)
    _confirm(own)
    grant = Grant.objects.get()
    assert grant.account_read_at == grant.consented_at


def test_the_tokens_are_sealed_for_the_grant(own):
    _confirm(own)
    grant, sealed = Grant.objects.get(), SealedTokenSet.objects.get()
    assert vault.open_access(grant, sealed.access) == "CNRY-access"
    assert vault.open_refresh(grant, sealed.refresh) == "CNRY-refresh"


def test_confirming_twice_works_once(own):
    pending = make_pending(**own)
    twin = PendingLink.objects.get(pk=pending.pk)
    linking.confirm(pending=pending, site_ids=["northwind"], actor=own["user"])
    with pytest.raises(LinkRefused, match="pending_expired"):
        linking.confirm(pending=twin, site_ids=["northwind"], actor=own["user"])
    assert Grant.objects.get().epoch == 1


def test_who_is_no_member_any_more_links_nothing(own):
    pending = make_pending(**own)
    Membership.objects.filter(user=own["user"]).delete()
    with pytest.raises(LinkRefused, match="not_member"):
        linking.confirm(pending=pending, site_ids=["northwind"], actor=own["user"])
    assert not Grant.objects.exists()


def test_an_app_that_was_disabled_links_nothing(own):
    pending = make_pending(**own)
    OAuthApp.objects.update(enabled=False)
    with pytest.raises(LinkRefused, match="app_disabled"):
        linking.confirm(pending=pending, site_ids=["northwind"], actor=own["user"])
    assert not Grant.objects.exists()


def test_tokens_that_do_not_open_link_nothing(own):
    pending = make_pending(**own)
    pending.sealed_token_set = b"damaged"
    with pytest.raises(LinkRefused, match="configuration"):
        linking.confirm(pending=pending, site_ids=["northwind"], actor=own["user"])
    assert not Grant.objects.exists()
    assert PendingLink.objects.exists()


def test_who_comes_second_is_refused(own, bob, other_organization):
    pending = make_pending(**own)
    _confirm({**own, "user": bob, "organization": other_organization})
    before = Grant.objects.values().get()
    with pytest.raises(LinkRefused, match="other_user"):
        linking.confirm(pending=pending, site_ids=["northwind"], actor=own["user"])
    assert Grant.objects.values().get() == before


def test_who_comes_second_by_a_hair_is_refused_by_the_database(own, bob):
    """Somebody else's grant appears after the check."""
    pending = make_pending(**own)

    def be_quicker(sender, grant, **kwargs):
        grant.pk, grant.public_id, grant.user = None, "theirs", bob
        grant.save(force_insert=True)

    linking.account_linked.connect(be_quicker)
    try:
        with pytest.raises(LinkRefused, match="other_user"):
            linking.confirm(pending=pending, site_ids=["northwind"], actor=own["user"])
    finally:
        linking.account_linked.disconnect(be_quicker)
    assert not Grant.objects.exists()


# Linking again
# ------------------------------------------------------------------------------
def test_a_new_consent_begins_a_new_epoch_from_nothing(own):
    _confirm(own)
    now = database_now()
    Grant.objects.update(
        status="reconnect_needed",
        death_reason="revoked",
        queued_until=now,
        lease_id="12345678123456781234567812345678",
        lease_until=now,
        attempt=7,
        uncertain_since=now,
        consecutive_failures=7,
        refusals=2,
        first_refused_at=now,
        last_refused_at=now,
        last_error="invalid_grant",
        last_error_at=now,
        last_used_at=now,
    )
    before = Grant.objects.get()
    _confirm(own)
    grant = Grant.objects.get()
    assert (grant.pk, grant.public_id) == (before.pk, before.public_id)
    assert (grant.epoch, grant.generation) == (2, 2)
    assert (grant.status, grant.death_reason, grant.last_error) == ("active", "", "")
    assert (grant.attempt, grant.consecutive_failures, grant.refusals) == (0, 0, 0)
    assert grant.last_used_at == now
    for name in ("queued_until", "lease_id", "lease_until", "uncertain_since"):
        assert getattr(grant, name) is None
    for name in ("first_refused_at", "last_refused_at", "last_error_at"):
        assert getattr(grant, name) is None


def test_a_new_consent_leaves_nothing_of_the_old_tokens(own):
    _confirm(own)
    SealedTokenSet.objects.update(
        previous_refresh=b"old", previous_until=database_now()
    )
    old = SealedTokenSet.objects.get()
    _confirm(own)
    sealed = SealedTokenSet.objects.get()
    assert sealed.pk == old.pk
    assert bytes(sealed.previous_refresh) == b""
    assert sealed.previous_until is None
    with pytest.raises(VaultError):
        vault.open_refresh(Grant.objects.get(), old.refresh)


def test_a_site_that_is_linked_already_keeps_its_row_and_settings(own):
    (first,) = _confirm(own)
    LinkedSite.objects.update(label="Ours", status=LinkedSite.Status.PAUSED)
    (again,) = _confirm(own)
    again.refresh_from_db()
    assert (again.pk, again.label, again.status) == (first.pk, "Ours", "paused")
    assert Event.objects.filter(kind=Event.Kind.LINKED).count() == 1
    assert Event.objects.get(kind=Event.Kind.RELINKED).facts == {
        "epoch": 2,
        "more_scopes": [],
    }


def test_a_site_that_is_reached_no_more_is_marked_and_not_deleted(own):
    _confirm(own, "northwind", "riverside", consent=consent(sites=BOTH))
    _confirm(own, consent=consent(sites=BOTH[:1]))
    statuses = dict(LinkedSite.objects.values_list("name", "status"))
    assert statuses == {"Northwind": "linked", "Riverside": "lost"}


def test_the_tables_tell_two_accounts_of_one_person_apart(own):
    _confirm(own)
    _confirm(own, consent=consent(account_id="another"))
    assert Grant.objects.count() == 2
    assert LinkedSite.objects.count() == 2
