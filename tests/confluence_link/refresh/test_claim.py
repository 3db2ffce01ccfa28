"""The lease: one holder, and an intent that is committed before anything is sent."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from confluence_link import refresh
from confluence_link.models import Grant, OAuthAppHealth, database_now
from confluence_link.refresh import Outcome, claim
from tests import grants


def test_a_lease_counts_the_attempt_and_marks_it_uncertain(cloud_grant):
    grants.make_due(cloud_grant)
    claim.lease_due([cloud_grant.pk])
    cloud_grant.refresh_from_db()
    assert cloud_grant.attempt == 1
    assert cloud_grant.uncertain_since is not None
    lease = cloud_grant.lease_until - cloud_grant.uncertain_since
    assert lease == timedelta(seconds=75)


def test_a_leased_grant_is_not_leased_again(cloud_grant):
    grants.make_due(cloud_grant)
    claim.lease_due([cloud_grant.pk])
    assert claim.lease_due([cloud_grant.pk])[1] == []
    assert claim.lease_on_demand(cloud_grant.pk, 1)[1] == []


def test_what_is_leased_comes_in_the_order_of_the_ids(cloud_grant):
    """Which is that of their urgency."""
    made = [cloud_grant, *(grants.copy_of(cloud_grant) for _ in range(3))]
    for grant in made:
        grants.make_due(grant)
    order = [made[number].pk for number in (2, 0, 3, 1)]
    _, leased = claim.lease_due(order)
    assert [row.pk for row in leased] == order


def test_f01_a_crashed_holder_s_lease_is_free_after_its_end(sandbox, cloud_grant):
    grants.make_due(cloud_grant)
    claim.lease_due([cloud_grant.pk])
    grants.seconds_pass(sandbox, 76)
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]
    assert sandbox.cloud.statistics["exchange.refresh_token.ok"] == 1


def test_the_first_doubt_is_what_is_remembered(sandbox, cloud_grant):
    grants.make_due(cloud_grant)
    claim.lease_due([cloud_grant.pk])
    first = grants.again(cloud_grant)
    grants.seconds_pass(sandbox, 76)
    claim.lease_due([cloud_grant.pk])
    second = grants.again(cloud_grant)
    passed = first.uncertain_since - second.uncertain_since
    assert passed == timedelta(seconds=76)


def test_on_demand_an_older_generation_gets_no_lease(cloud_grant):
    grants.make_due(cloud_grant)
    assert claim.lease_on_demand(cloud_grant.pk, 0)[1] == []


def test_a_lease_shows_no_secret(cloud_grant):
    grants.make_due(cloud_grant)
    lease_id, (grant,) = claim.lease_due([cloud_grant.pk])
    leased = claim.open_leased(grant, lease_id)
    assert leased.refresh_token not in repr(leased)
    assert leased.endpoint.client_secret not in repr(leased)


def test_after_a_refusal_nobody_asks_again_within_a_minute(sandbox, cloud_grant):
    grants.make_due(cloud_grant)
    sandbox.cloud.faults.add("token", "invalid_grant", times=1)
    assert refresh.refresh_now(grant_id=cloud_grant.pk) is Outcome.REFUSED
    grants.seconds_pass(sandbox, 50)
    assert refresh.refresh_now(grant_id=cloud_grant.pk) is Outcome.NOT_DUE
    grants.seconds_pass(sandbox, 11)
    assert refresh.refresh_now(grant_id=cloud_grant.pk) is Outcome.REFRESHED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("on_demand", [False, True])
def test_f14_of_many_at_the_same_instant_one_gets_the_lease(
    sandbox, cloud_app, alice, organization, on_demand
):
    grant = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    for _ in range(10):
        grants.make_due(grant)
        Grant.objects.update(lease_until=None, lease_id=None)
        assert _race(grant, on_demand) == 1


def _race(grant, on_demand):
    """How many of eight threads that start together hold the lease."""
    start = threading.Barrier(8)

    def lease():
        start.wait()
        try:
            if on_demand:
                return len(claim.lease_on_demand(grant.pk, grant.generation)[1])
            return len(claim.lease_due([grant.pk])[1])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        return sum(future.result() for future in [pool.submit(lease) for _ in range(8)])


def test_a_message_that_was_sent_before_the_pause_sends_nothing_in_it(
    sandbox, cloud_grant
):
    grants.make_due(cloud_grant)
    health = OAuthAppHealth.objects.create(
        oauth_app=cloud_grant.oauth_app,
        paused_until=database_now() + timedelta(seconds=30),
    )
    assert claim.lease_due([cloud_grant.pk])[1] == []
    health.delete()
    assert len(claim.lease_due([cloud_grant.pk])[1]) == 1
