"""A worker waits for a row that somebody else is about to change for good.

PostgreSQL looks at the conditions of an UPDATE again after it waited; these tests
hold that every condition that matters is one that it looks at again.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from confluence_link import linking
from confluence_link.http import Deadline
from confluence_link.models import Grant, SealedTokenSet
from confluence_link.refresh import claim, store
from confluence_link.refresh.exchange import exchange
from tests import grants

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def changes(sandbox, cloud_app, cloud_grant, alice, organization):
    """What a person does in one transaction."""
    pending = linking.pend(
        consent=grants.consent_of(
            sandbox.cloud,
            cloud_app,
            account="alice",
            site="northwind",
            decision="accept",
        ),
        oauth_app=cloud_app,
        user=alice,
        organization=organization,
        session_key="a-session",
    )
    linked_site = cloud_grant.linked_sites.get()
    site_ids = [linked_site.site_id]
    return {
        "unlink": lambda: linking.unlink(linked_site=linked_site, actor=alice),
        "link again": lambda: linking.confirm(
            pending=pending, site_ids=site_ids, actor=alice
        ),
    }


def _while_it_waits(act, change):
    """What `act` gives whose UPDATE of the grant meets an uncommitted change."""
    arrived = threading.Event()

    def signal(execute, sql, params, many, context):
        if sql.startswith('UPDATE "confluence_link_grant"'):
            arrived.set()
        return execute(sql, params, many, context)

    def work():
        try:
            with connection.execute_wrapper(signal):
                return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change()
            worker = pool.submit(work)
            # SQLite keeps it waiting before that, at the beginning of its transaction.
            arrived.wait(0.5)
        return worker.result(timeout=30)


@pytest.mark.parametrize("change", ["unlink", "link again"])
def test_f45_f46_an_answer_that_waited_is_dropped(cloud_grant, changes, change):
    grants.make_due(cloud_grant)
    lease_id, (row,) = claim.lease_due([cloud_grant.pk])
    leased = claim.open_leased(row, lease_id)
    answer = exchange(leased, deadline=Deadline(30))

    def keep():
        return store.store(
            grant=row,
            lease_id=lease_id,
            refresh_token=leased.refresh_token,
            token_set=answer,
            asked_at=leased.asked_at,
        )

    assert _while_it_waits(keep, changes[change]) is False
    assert grants.again(cloud_grant).generation == row.generation + (
        change == "link again"
    )
    assert SealedTokenSet.objects.exists() == (change == "link again")


@pytest.mark.parametrize("change", ["unlink", "link again"])
@pytest.mark.parametrize("on_demand", [False, True])
def test_a_lease_that_waited_is_not_given(cloud_grant, changes, change, on_demand):
    grants.make_due(cloud_grant)

    def lease():
        if on_demand:
            return claim.lease_on_demand(cloud_grant.pk, cloud_grant.generation)[1]
        return claim.lease_due([cloud_grant.pk])[1]

    assert _while_it_waits(lease, changes[change]) == []
    assert Grant.objects.get().lease_id is None
