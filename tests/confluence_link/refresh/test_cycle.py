"""Sweep, a batch and one grant now, against the sandbox over real HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction

from confluence_link import linking, refresh
from confluence_link.models import (
    Event,
    Grant,
    OAuthAppHealth,
    SealedTokenSet,
    database_now,
)
from confluence_link.refresh import Outcome, pace
from tests import grants

REFRESHED = "exchange.refresh_token.ok"


def test_a_due_grant_gets_new_tokens_and_counts_a_generation(sandbox, cloud_grant):
    before = grants.tokens(cloud_grant)
    grants.make_due(cloud_grant)
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]
    after = grants.again(cloud_grant)
    assert after.generation == 2
    assert after.lease_id is None
    assert after.uncertain_since is None
    assert set(grants.tokens(cloud_grant)).isdisjoint(before)
    assert sandbox.cloud.statistics[REFRESHED] == 1


def test_a_data_center_grant_is_refreshed_by_the_same_code(sandbox, data_center_grant):
    grants.make_due(data_center_grant)
    assert refresh.refresh_batch([data_center_grant.pk]) == [Outcome.REFRESHED]
    assert sandbox.data_center.statistics[REFRESHED] == 1


def test_a_grant_that_is_not_due_is_left_alone(sandbox, cloud_grant):
    assert refresh.refresh_batch([cloud_grant.pk]) == []
    assert refresh.sweep(enqueue=pytest.fail) == 0
    assert sandbox.cloud.statistics[REFRESHED] == 0


@pytest.mark.parametrize("name", ["cloud_grant", "data_center_grant"])
def test_f17_a_lost_message_is_sent_again_by_the_second_sweep(sandbox, name, request):
    grant = request.getfixturevalue(name)
    grants.make_due(grant)
    refresh.sweep(enqueue=lambda ids: None)
    batches: list[list[int]] = []
    refresh.sweep(enqueue=batches.append)
    assert batches == []
    grants.seconds_pass(sandbox, 61)
    refresh.sweep(enqueue=batches.append)
    assert batches == [[grant.pk]]


def test_f15_a_message_that_comes_twice_refreshes_once(sandbox, cloud_grant):
    grants.make_due(cloud_grant)
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]
    assert refresh.refresh_batch([cloud_grant.pk]) == []
    assert sandbox.cloud.statistics[REFRESHED] == 1


def test_the_uncertain_one_comes_first_then_the_recently_used(cloud_grant):
    made = [cloud_grant, grants.copy_of(cloud_grant), grants.copy_of(cloud_grant)]
    now = database_now()
    Grant.objects.update(refresh_at=now - timedelta(minutes=1))
    Grant.objects.filter(pk=made[1].pk).update(last_used_at=now)
    Grant.objects.filter(pk=made[2].pk).update(
        uncertain_since=now - timedelta(minutes=2)
    )
    batches: list[list[int]] = []
    refresh.sweep(enqueue=batches.append)
    assert batches == [[made[2].pk, made[1].pk, made[0].pk]]


def test_f21_a_refresh_inside_a_transaction_is_refused_loudly(sandbox, cloud_grant):
    grants.make_due(cloud_grant)
    with transaction.atomic(), pytest.raises(RuntimeError):
        refresh.refresh_now(grant_id=cloud_grant.pk)
    assert sandbox.cloud.statistics["request.token"] == 1


def test_refreshing_now_waits_for_the_minimum_interval(sandbox, cloud_grant):
    assert refresh.refresh_now(grant_id=cloud_grant.pk) is Outcome.NOT_DUE
    grants.seconds_pass(sandbox, 61)
    assert refresh.refresh_now(grant_id=cloud_grant.pk) is Outcome.REFRESHED


def test_a_grant_that_is_unlinked_right_after_its_lease_holds_up_no_other(
    sandbox, cloud_grant
):
    other = grants.copy_of(cloud_grant)
    for grant in (cloud_grant, other):
        grants.make_due(grant)
    with connection.execute_wrapper(_Unlinking(cloud_grant)):
        outcomes = refresh.refresh_batch([cloud_grant.pk, other.pk])
    assert outcomes == [Outcome.REFRESHED]


class _Unlinking:
    """Somebody else unlinks the grant between its lease and what follows."""

    def __init__(self, grant):
        self.linked_site = grant.linked_sites.get()

    def __call__(self, execute, sql, params, many, context):
        linked_site = self.linked_site
        if linked_site and sql.startswith("SELECT") and "sealedtokenset" in sql:
            self.linked_site = None
            linking.unlink(linked_site=linked_site, actor=None)
        return execute(sql, params, many, context)


def test_refreshing_an_unknown_grant_does_nothing(db):
    assert refresh.refresh_now(grant_id=0) is Outcome.NOT_DUE


def test_h18_a_life_of_one_second_does_not_refresh_more_than_once_a_minute(
    sandbox, cloud_grant
):
    sandbox.cloud.behaviour.change({"access_token_seconds": 1})
    grants.make_due(cloud_grant)
    refresh.refresh_batch([cloud_grant.pk])
    after = grants.again(cloud_grant)
    assert after.refresh_at - after.last_rotated_at >= timedelta(seconds=60)
    assert refresh.refresh_now(grant_id=cloud_grant.pk) is Outcome.NOT_DUE


def test_h07_without_a_new_refresh_token_the_old_one_stays(sandbox, cloud_grant):
    _, old = grants.tokens(cloud_grant)
    sandbox.cloud.faults.add("token", "refresh_token_missing", times=1)
    grants.make_due(cloud_grant)
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]
    assert grants.tokens(cloud_grant)[1] == old
    assert grants.again(cloud_grant).generation == 2


def test_h08_the_refresh_token_of_a_broken_answer_is_kept_and_tried_at_once(
    sandbox, cloud_grant
):
    _, old = grants.tokens(cloud_grant)
    sandbox.cloud.faults.add("token", "refresh_token_only", times=1)
    grants.make_due(cloud_grant)
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]
    assert grants.tokens(cloud_grant)[1] != old
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]
    assert grants.again(cloud_grant).has_trouble is False


def test_the_predecessor_stays_sealed_with_the_end_of_its_leeway(cloud_grant):
    grants.make_due(cloud_grant)
    refresh.refresh_batch([cloud_grant.pk])
    sealed = SealedTokenSet.objects.get(grant=cloud_grant)
    assert sealed.previous_refresh
    assert sealed.previous_until > database_now() + timedelta(minutes=9)


def test_a_first_failure_is_told_once_and_so_is_the_recovery(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "server_error", times=2)
    for _ in range(3):
        grants.make_due(cloud_grant)
        refresh.refresh_batch([cloud_grant.pk])
    kinds = list(
        Event.objects.filter(grant=cloud_grant)
        .order_by("pk")
        .values_list("kind", flat=True)
    )
    assert kinds == [
        Event.Kind.LINKED,
        Event.Kind.REFRESH_FAILED,
        Event.Kind.RECOVERED,
    ]


def test_a_batch_without_a_turn_is_left_to_the_next_sweep(sandbox, cloud_grant):
    grants.make_due(cloud_grant)
    batches: list[list[int]] = []
    refresh.sweep(enqueue=batches.append)
    far = database_now() + timedelta(seconds=pace.WAIT_SECONDS + 10)
    OAuthAppHealth.objects.update_or_create(
        oauth_app=cloud_grant.oauth_app, defaults={"paced_until": far}
    )
    assert refresh.refresh_batch(batches[0]) == []
    refresh.sweep(enqueue=batches.append)
    assert batches == [[cloud_grant.pk]] * 2
    assert sandbox.cloud.statistics[REFRESHED] == 0
