"""What a sweep hands out: whose turn it is, how many, and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from confluence_link.models import Grant, OAuthAppHealth, database_now
from confluence_link.refresh import claim, due
from tests import grants


def taken(now=None):
    """The ids of all batches."""
    return [pk for batch in due.batches(now or database_now()) for pk in batch.ids]


def test_f01_a_sweep_finds_what_a_crashed_holder_left_when_its_lease_is_over(
    sandbox, cloud_grant
):
    grants.make_due(cloud_grant)
    assert taken() == [cloud_grant.pk]
    claim.lease_due([cloud_grant.pk])
    grants.seconds_pass(sandbox, 76)
    assert taken() == [cloud_grant.pk]


def test_a_sweep_takes_no_grant_of_a_paused_app(cloud_grant):
    now = database_now()
    OAuthAppHealth.objects.create(
        oauth_app=cloud_grant.oauth_app, paused_until=now + timedelta(seconds=30)
    )
    grants.make_due(cloud_grant)
    assert taken(now) == []


def test_a_server_gets_one_batch_at_a_time(data_center_grant):
    _many_due(data_center_grant, 9)
    now = database_now()
    (batch,) = due.batches(now)
    assert len(batch.ids) == 9
    assert taken(now) == []


def test_beside_what_is_under_way_a_server_gets_what_is_missing_to_four(
    data_center_grant,
):
    _many_due(data_center_grant, 9)
    now = database_now()
    under_way = taken(now)[:3]
    Grant.objects.exclude(pk__in=under_way).update(queued_until=None)
    assert len(taken(now)) == 1
    assert taken(now) == []


def test_r06_a_server_with_thousands_due_takes_no_turn_of_others(
    data_center_grant, cloud_grant
):
    _many_due(data_center_grant, 2_001)
    grants.make_due(cloud_grant)
    found = taken()
    assert cloud_grant.pk in found
    assert len(found) == due.SERVER_BATCH + 1


@pytest.mark.django_db(transaction=True)
def test_f23_a_sweep_that_met_a_deadlock_hands_out_what_it_found(cloud_grant):
    grants.make_due(cloud_grant)
    with connection.execute_wrapper(_DeadlockOnce()):
        assert taken() == [cloud_grant.pk]


class _Deadlock(Exception):
    sqlstate = "40P01"


class _DeadlockOnce:
    """PostgreSQL ends the first attempt to mark something as queued."""

    def __init__(self):
        self.has_happened = False

    def __call__(self, execute, sql, params, many, context):
        if 'SET "queued_until"' in sql and not self.has_happened:
            self.has_happened = True
            raise OperationalError from _Deadlock()
        return execute(sql, params, many, context)


def _many_due(grant, number):
    """Rows of other accounts at the same app, in doubt and long overdue."""
    now = database_now()
    Grant.objects.bulk_create(
        Grant(
            oauth_app=grant.oauth_app,
            user=grant.user,
            account_id=f"another-{one}",
            expires_at=now,
            refresh_at=now - timedelta(hours=1),
            uncertain_since=now,
            consented_at=now,
            last_rotated_at=now,
        )
        for one in range(number)
    )


def test_what_waits_in_the_queue_takes_up_the_next_sweep_s_room(cloud_grant, settings):
    settings.CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND = 1
    settings.CONFLUENCE_LINK_SWEEP_SECONDS = 4
    _many_due(cloud_grant, 20)
    now = database_now()
    first = taken(now)
    assert len(first) == 8
    assert taken(now) == []
    Grant.objects.filter(pk__in=first[:3]).update(queued_until=None, lease_until=now)
    assert len(taken(now)) == 3
