"""The fenced write: only the successor, never under somebody else's lease."""

from __future__ import annotations

from datetime import timedelta

import pytest

from confluence_link import handoff, linking, refresh
from confluence_link.errors import TokenUnavailable
from confluence_link.http import Deadline
from confluence_link.models import (
    Event,
    Grant,
    OAuthAppHealth,
    SealedTokenSet,
    database_now,
)
from confluence_link.refresh import Outcome, claim, spool, store
from confluence_link.refresh.exchange import exchange
from tests import grants


def _exchanged(grant):
    """A lease and the answer to it, as a worker holds them before it stores."""
    grants.make_due(grant)
    lease_id, (row,) = claim.lease_due([grant.pk])
    leased = claim.open_leased(row, lease_id)
    return leased, exchange(leased, deadline=Deadline(30))


def _store(leased, answer):
    return store.store(
        grant=leased.grant,
        lease_id=leased.lease_id,
        refresh_token=leased.refresh_token,
        token_set=answer,
        asked_at=leased.asked_at,
    )


def test_an_answer_is_stored_once(cloud_grant):
    leased, answer = _exchanged(cloud_grant)
    assert _store(leased, answer) is True
    assert _store(leased, answer) is False
    assert grants.again(cloud_grant).generation == 2


def test_f45_an_answer_for_an_unlinked_grant_is_dropped(cloud_grant):
    leased, answer = _exchanged(cloud_grant)
    linking.unlink(linked_site=cloud_grant.linked_sites.get(), actor=cloud_grant.user)
    assert _store(leased, answer) is False
    assert not SealedTokenSet.objects.exists()


def test_f46_a_newer_consent_wins_over_an_answer_in_flight(
    sandbox, cloud_app, cloud_grant, alice, organization
):
    leased, answer = _exchanged(cloud_grant)
    grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    assert _store(leased, answer) is False
    grants.make_due(cloud_grant)
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]


def test_f10_a_late_answer_is_fenced_while_another_holds_the_lease(
    sandbox, cloud_grant
):
    late, answer = _exchanged(cloud_grant)
    grants.seconds_pass(sandbox, 200)
    claim.lease_due([cloud_grant.pk])
    assert _store(late, answer) is False


def test_f10_a_late_answer_is_the_successor_if_nobody_else_found_one(
    sandbox, data_center_grant
):
    late, answer = _exchanged(data_center_grant)
    grants.seconds_pass(sandbox, 200)
    # Without leeway the second worker is refused: the first one took the token.
    assert refresh.refresh_batch([data_center_grant.pk]) == [Outcome.REFUSED]
    assert _store(late, answer) is True
    grants.make_due(data_center_grant)
    assert refresh.refresh_batch([data_center_grant.pk]) == [Outcome.REFRESHED]


def test_a_spooled_answer_is_imported_by_the_next_sweep(data_center_grant):
    leased, answer = _exchanged(data_center_grant)
    spool.keep(leased.grant, answer, asked_at=leased.asked_at)
    Grant.objects.update(lease_id=None, lease_until=None)
    refresh.sweep(enqueue=lambda ids: None)
    assert grants.again(data_center_grant).generation == 2
    grants.make_due(data_center_grant)
    assert refresh.refresh_batch([data_center_grant.pk]) == [Outcome.REFRESHED]


def test_a_spooled_answer_revives_a_grant_that_was_given_up_without_it(
    data_center_grant,
):
    leased, answer = _exchanged(data_center_grant)
    spool.keep(leased.grant, answer, asked_at=leased.asked_at)
    Grant.objects.update(
        lease_id=None, lease_until=None, status=Grant.Status.RECONNECT_NEEDED
    )
    store.import_spool()
    assert grants.again(data_center_grant).status == Grant.Status.ACTIVE


def test_an_import_waits_for_a_live_lease(cloud_grant):
    leased, answer = _exchanged(cloud_grant)
    spool.keep(leased.grant, answer, asked_at=leased.asked_at)
    store.import_spool()
    assert grants.again(cloud_grant).generation == 1
    assert [grant.pk for grant, *_ in spool.kept()] == [cloud_grant.pk]


def test_the_life_of_tokens_counts_from_their_exchange_not_from_their_import(
    sandbox, data_center_grant
):
    leased, answer = _exchanged(data_center_grant)
    two_hours_ago = database_now() - timedelta(hours=2)
    spool.keep(leased.grant, answer, asked_at=two_hours_ago)
    Grant.objects.update(lease_id=None, lease_until=None)
    store.import_spool()
    imported = grants.again(data_center_grant)
    assert imported.generation == 2
    assert imported.expires_at < database_now()
    assert handoff.fresh_token(grant=data_center_grant).generation == 3


def test_an_import_is_no_success_of_the_other_side(data_center_grant):
    leased, answer = _exchanged(data_center_grant)
    spool.keep(leased.grant, answer, asked_at=leased.asked_at)
    Grant.objects.update(lease_id=None, lease_until=None)
    store.import_spool()
    assert not OAuthAppHealth.objects.exists()


def test_h08_answers_without_an_access_token_are_tried_again_ever_later(
    sandbox, cloud_grant
):
    sandbox.cloud.faults.add("token", "refresh_token_only")
    grants.make_due(cloud_grant)
    Grant.objects.update(expires_at=database_now())
    before = sandbox.cloud.statistics["request.token"]
    for _ in range(10):
        with pytest.raises(TokenUnavailable):
            handoff.fresh_token(grant=cloud_grant)
    assert sandbox.cloud.statistics["request.token"] == before + 2
    failing = grants.again(cloud_grant)
    assert failing.refresh_at >= failing.last_error_at + timedelta(seconds=30)
    assert failing.generation == 3


def test_an_answer_without_an_access_token_is_not_called_a_recovery(
    sandbox, cloud_grant
):
    sandbox.cloud.faults.add("token", "refresh_token_only", times=2)
    for _ in range(3):
        grants.make_due(cloud_grant)
        refresh.refresh_batch([cloud_grant.pk])
    kinds = Event.objects.filter(grant=cloud_grant).order_by("pk")
    assert list(kinds.values_list("kind", flat=True))[1:] == [
        Event.Kind.REFRESH_FAILED,
        Event.Kind.RECOVERED,
    ]


def test_a_refresh_that_succeeded_is_no_event(sandbox, cloud_grant):
    before = Event.objects.count()
    grants.make_due(cloud_grant)

    refresh.refresh_batch([cloud_grant.pk])

    assert Event.objects.count() == before


def test_i4_a_predecessor_is_erased_when_its_leeway_is_over(sandbox, cloud_grant):
    grants.make_due(cloud_grant)
    refresh.refresh_batch([cloud_grant.pk])
    refresh.forget_predecessors()
    assert SealedTokenSet.objects.get().previous_refresh
    grants.seconds_pass(sandbox, 601)
    refresh.forget_predecessors()
    sealed = SealedTokenSet.objects.get()
    assert bytes(sealed.previous_refresh) == b""
    assert sealed.previous_until is None


def test_i4_a_minute_looks_at_one_part_of_a_long_table(cloud_grant, monkeypatch):
    monkeypatch.setattr(store, "LOOKED_AT_A_MINUTE", 1)
    for _ in range(2):
        grants.copy_of(cloud_grant)
    SealedTokenSet.objects.update(
        previous_refresh=b"old", previous_until=database_now() - timedelta(days=1)
    )
    refresh.forget_predecessors()
    assert SealedTokenSet.objects.filter(previous_refresh=b"old").count() >= 2
