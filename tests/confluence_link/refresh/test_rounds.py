"""A round: each answer is stored, told and counted, whatever happens to the others."""

from __future__ import annotations

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created

from confluence_link import refresh
from confluence_link.http import Deadline
from confluence_link.models import Grant, OAuthAppHealth
from confluence_link.refresh import Outcome, claim
from confluence_link.refresh.rounds import Round
from sandbox.faults.presets import PRESETS
from tests import grants


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_stored_was_stored_whatever_happens_to_its_app_s_row(
    settings, sandbox, cloud_grant
):
    """A plain answer, and one that ends a failure, which goes another way."""
    OAuthAppHealth.objects.update_or_create(
        oauth_app=cloud_grant.oauth_app, defaults={"consecutive_failures": 1}
    )
    for last_error in ("", "timeout"):
        grants.make_due(cloud_grant)
        type(cloud_grant).objects.update(last_error=last_error)
        with connection.execute_wrapper(_refuse_success):
            outcomes = refresh.refresh_batch([cloud_grant.pk])
        assert outcomes == [Outcome.REFRESHED]
    assert list(settings.CONFLUENCE_LINK_SPOOL_DIR.glob("*")) == []
    assert OAuthAppHealth.objects.get().consecutive_failures == 1


def _refuse_success(execute, sql, params, many, context):
    """The one write to an app's row that a success makes."""
    if sql.startswith("UPDATE") and '"last_success_at"' in sql:
        raise OperationalError("canceling statement due to lock timeout")
    return execute(sql, params, many, context)


@pytest.fixture
def keys_that_go(settings, monkeypatch):
    """When an exchange is answered, the keys are gone; calling it brings them back."""
    keys = list(settings.CONFLUENCE_LINK_VAULT_KEYS)

    def take_keys_away(fault, exchange):
        settings.CONFLUENCE_LINK_VAULT_KEYS = []
        return exchange.process()

    def bring_back(**kwargs):
        settings.CONFLUENCE_LINK_VAULT_KEYS = keys

    monkeypatch.setitem(PRESETS, "keys_go", take_keys_away)
    return bring_back


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_cannot_be_sealed_is_stored_when_the_keys_are_back(
    sandbox, cloud_grant, keys_that_go
):
    """They are, when the round connects to the database for another try."""
    grants.make_due(cloud_grant)
    sandbox.cloud.faults.add("token", "keys_go")
    connection_created.connect(keys_that_go)
    try:
        outcomes = refresh.refresh_batch([cloud_grant.pk])
    finally:
        connection_created.disconnect(keys_that_go)
    assert outcomes == [Outcome.REFRESHED]


@pytest.mark.django_db(transaction=True)
def test_without_keys_an_answer_is_in_doubt_and_nothing_else_begins(
    sandbox, cloud_grant, keys_that_go
):
    made = [cloud_grant.pk, grants.copy_of(cloud_grant).pk]
    for grant in Grant.objects.all():
        grants.make_due(grant)
    sandbox.cloud.faults.add("token", "keys_go", times=1)
    lease_id, held = claim.lease_due(made)
    round_ = Round(lease_id, Deadline(30), insist_seconds=0)

    assert round_.play(held, per_second=0.01) == [Outcome.NOT_BEGUN, Outcome.UNCERTAIN]

    keys_that_go()
    grants.seconds_pass(sandbox, 180)
    assert refresh.refresh_batch(made) == [Outcome.REFRESHED] * 2


# --- the database is away -----------------------------------------------------------


@pytest.fixture
def play(cloud_grant):
    """A round of so many grants, after which the database is as it was before.

    `answer` is asked instead of it from the first answer on.
    """

    def begin(count, answer, *, per_second=None, **columns):
        made = [cloud_grant.pk]
        made += [grants.copy_of(cloud_grant).pk for _ in range(count - 1)]
        for grant in Grant.objects.all():
            grants.make_due(grant)
        Grant.objects.update(**columns)
        lease_id, held = claim.lease_due(made)
        round_ = Round(lease_id, Deadline(30), insist_seconds=0)
        with connection.execute_wrapper(answer):
            return round_.play(held, per_second=per_second)

    return begin


class Away:
    """Counts what it is asked in vain."""

    def __init__(self):
        self.asked = 0

    def __call__(self, execute, sql, params, many, context):
        self.asked += 1
        raise OperationalError("timeout expired")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("last_error", ["", "timeout"])
def test_no_answer_waits_until_the_database_is_asked_in_vain_for_another(
    settings, play, last_error
):
    """Once for the first, and once more for each when all are in the spool."""
    spooled_before = []

    class Noting(Away):
        def __call__(self, *arguments):
            spooled_before.append(
                len(list(settings.CONFLUENCE_LINK_SPOOL_DIR.glob("*")))
            )
            return super().__call__(*arguments)

    outcomes = play(5, Noting(), last_error=last_error)

    assert outcomes == [Outcome.SPOOLED] * 5
    assert spooled_before == [0, *[5] * 5]


@pytest.mark.django_db(transaction=True)
def test_f24_nothing_begins_when_the_database_cannot_be_told_of_a_failure(
    sandbox, play
):
    sandbox.cloud.faults.add("token", "server_error")
    before = sandbox.cloud.statistics["request.token"]

    outcomes = play(3, Away(), per_second=0.01)

    assert outcomes == [Outcome.UNCERTAIN, Outcome.NOT_BEGUN, Outcome.NOT_BEGUN]
    assert sandbox.cloud.statistics["request.token"] == before + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", [Grant, OAuthAppHealth])
def test_f23_a_failure_that_met_another_s_lock_is_written_all_the_same(
    sandbox, cloud_grant, play, table
):
    sandbox.cloud.faults.add("token", "server_error")
    met = []

    def deadlock(execute, sql, params, many, context):
        if sql.startswith(f'UPDATE "{table._meta.db_table}"') and not met:
            met.append(sql)
            raise OperationalError from psycopg.errors.DeadlockDetected()
        return execute(sql, params, many, context)

    OAuthAppHealth.objects.get_or_create(oauth_app=cloud_grant.oauth_app)
    assert play(1, deadlock) == [Outcome.UNCERTAIN]

    assert met
    row = grants.again(cloud_grant)
    assert (row.consecutive_failures, row.lease_id) == (1, None)
    assert OAuthAppHealth.objects.get().consecutive_failures == 1
