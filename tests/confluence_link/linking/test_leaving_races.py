"""Somebody links while somebody else removes them: one of the two comes first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from accounts import owners
from accounts.models import Membership
from confluence_link import linking
from confluence_link.errors import LinkRefused
from confluence_link.linking import leaving
from confluence_link.models import Grant, LinkedSite, PendingLink, SealedTokenSet
from tests.confluence_link.linking.pendings import make_pending

pytestmark = pytest.mark.django_db(transaction=True)


def _in_a_thread(work, arrived):
    """Runs `work`, and says when it begins to ask the database for locks."""

    def signal(execute, sql, params, many, context):
        if "FOR UPDATE" in sql or "FOR NO KEY" in sql or sql.startswith("BEGIN"):
            arrived.set()
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(signal):
            return work()
    finally:
        connection.close()


def _while_it_waits(act, change):
    """What `act` gives that meets an uncommitted change."""
    arrived = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change()
            worker = pool.submit(_in_a_thread, act, arrived)
            # SQLite keeps it waiting at the beginning of its transaction.
            arrived.wait(0.5)
        return worker.result(timeout=30)


@pytest.fixture
def membership(carol, organization):
    return Membership.objects.select_related("user", "organization").get(user=carol)


@pytest.fixture
def confirm(carol, organization, cloud_app):
    pending = make_pending(user=carol, organization=organization, oauth_app=cloud_app)
    return lambda: linking.confirm(pending=pending, site_ids=["northwind"], actor=carol)


def _nothing_is_left():
    return not (
        LinkedSite.objects.exists()
        or SealedTokenSet.objects.exists()
        or PendingLink.objects.exists()
        or Grant.objects.exclude(status=Grant.Status.UNLINKED).exists()
    )


def test_t05_a_link_that_waited_for_the_removal_is_refused(membership, confirm, alice):
    with pytest.raises(LinkRefused, match="not_member"):
        _while_it_waits(
            confirm,
            lambda: leaving.end_membership(membership=membership, actor=alice),
        )
    assert _nothing_is_left()


def test_t05_a_removal_that_waited_for_the_link_ends_it(membership, confirm, alice):
    _while_it_waits(
        lambda: leaving.end_membership(membership=membership, actor=alice), confirm
    )
    assert not Membership.objects.filter(pk=membership.pk).exists()
    assert _nothing_is_left()


def test_t08_of_two_owners_who_leave_at_once_one_stays(
    membership, alice, carol, organization
):
    Membership.objects.filter(pk=membership.pk).update(role="owner")
    alices = Membership.objects.get(user=alice, organization=organization)
    with pytest.raises(owners.NoOwnerLeft):
        _while_it_waits(
            lambda: leaving.end_membership(membership=membership, actor=carol),
            lambda: leaving.end_membership(membership=alices, actor=alice),
        )
    assert organization.memberships.get().user == carol
