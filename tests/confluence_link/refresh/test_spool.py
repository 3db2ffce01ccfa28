"""The emergency file of an answer that the database did not take."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import (
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
)

from confluence_link import linking, refresh
from confluence_link.http import Deadline
from confluence_link.models import Grant, database_now
from confluence_link.refresh import Outcome, claim, spool
from confluence_link.refresh.exchange import exchange
from confluence_link.tokens import TokenSet
from tests import grants

ANSWER = TokenSet("an-access-token", "a-refresh-token", 3600, None)
ASKED_AT = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def _files(settings):
    return sorted(settings.CONFLUENCE_LINK_SPOOL_DIR.glob("*"))


def test_a_file_is_sealed_and_for_our_eyes_only(settings, cloud_grant):
    spool.keep(cloud_grant, ANSWER, asked_at=ASKED_AT)
    (path,) = _files(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"token" not in path.read_bytes()


def test_it_gives_back_what_it_was_given(cloud_grant):
    spool.keep(cloud_grant, ANSWER, asked_at=ASKED_AT)
    (kept,) = spool.kept()
    assert kept == (cloud_grant, ANSWER, ASKED_AT)


def test_the_first_answer_to_a_generation_stays(cloud_grant):
    spool.keep(cloud_grant, ANSWER, asked_at=ASKED_AT)
    another = TokenSet("another", "another", 60, ("READ",))
    spool.keep(cloud_grant, another, asked_at=ASKED_AT)
    ((_, answer, _),) = spool.kept()
    assert answer.access_token == "an-access-token"


@pytest.mark.parametrize("column", ["epoch", "generation"])
def test_a_file_of_a_grant_that_moved_on_is_removed(settings, cloud_grant, column):
    spool.keep(cloud_grant, ANSWER, asked_at=ASKED_AT)
    Grant.objects.update(**{column: 7})
    assert list(spool.kept()) == []
    assert _files(settings) == []


def test_a_file_of_an_unlinked_grant_is_removed(settings, cloud_grant):
    spool.keep(cloud_grant, ANSWER, asked_at=ASKED_AT)
    linking.unlink(linked_site=cloud_grant.linked_sites.get(), actor=None)
    assert not spool.follows(cloud_grant)
    assert list(spool.kept()) == []
    assert _files(settings) == []


def test_a_file_whose_key_is_missing_waits_for_it(settings, cloud_grant):
    spool.keep(cloud_grant, ANSWER, asked_at=ASKED_AT)
    settings.CONFLUENCE_LINK_VAULT_KEYS = settings.CONFLUENCE_LINK_VAULT_KEYS[1:]
    assert list(spool.kept()) == []
    assert len(_files(settings)) == 1


@pytest.mark.django_db(transaction=True)
def test_f22_an_answer_outlives_a_database_that_refuses_it(
    settings, sandbox, data_center_grant
):
    """The wire to the database is cut right when the answer is written."""
    grants.make_due(data_center_grant)
    with connection.execute_wrapper(_refuse_token_sets):
        outcomes = refresh.refresh_now(grant_id=data_center_grant.pk)
    assert outcomes is Outcome.SPOOLED
    assert len(_files(settings)) == 1
    grants.seconds_pass(sandbox, 76)
    refresh.sweep(enqueue=lambda ids: None)
    assert grants.again(data_center_grant).generation == 2
    assert _files(settings) == []
    grants.make_due(data_center_grant)
    assert refresh.refresh_batch([data_center_grant.pk]) == [Outcome.REFRESHED]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError, InterfaceError, InternalError])
def test_f24_an_answer_is_stored_as_soon_as_the_database_takes_it(
    settings, sandbox, data_center_grant, error
):
    """A database that only reads for a moment says InternalError."""
    grants.make_due(data_center_grant)
    with connection.execute_wrapper(_Refusing(error, times=1)):
        outcome = refresh.refresh_now(grant_id=data_center_grant.pk)
    assert outcome is Outcome.REFRESHED
    assert _files(settings) == []


@pytest.mark.django_db(transaction=True)
def test_f24_a_full_disk_does_not_lose_the_answer_while_the_process_lives(
    settings, sandbox, data_center_grant
):
    settings.CONFLUENCE_LINK_SPOOL_DIR.touch()
    grants.make_due(data_center_grant)
    with connection.execute_wrapper(_Refusing(OperationalError, times=1)):
        outcome = refresh.refresh_now(grant_id=data_center_grant.pk)
    assert outcome is Outcome.REFRESHED


def test_a_file_that_cannot_be_read_stops_no_other_refresh(
    settings, sandbox, cloud_grant
):
    spool.keep(cloud_grant, ANSWER, asked_at=ASKED_AT)
    (path,) = _files(settings)
    path.unlink()
    path.symlink_to(path)
    grants.make_due(cloud_grant)
    assert refresh.refresh_batch([cloud_grant.pk]) == [Outcome.REFRESHED]


def test_f10_a_late_answer_waits_in_case_whoever_leased_meanwhile_fails(
    settings, data_center_grant
):
    grants.make_due(data_center_grant)
    with connection.execute_wrapper(_TakingOver(data_center_grant)):
        outcomes = refresh.refresh_batch([data_center_grant.pk])
    assert outcomes == [Outcome.FENCED]
    assert len(_files(settings)) == 1
    Grant.objects.update(lease_id=None, lease_until=None)
    refresh.sweep(enqueue=lambda ids: None)
    assert grants.again(data_center_grant).generation == 2
    assert _files(settings) == []


class _TakingOver:
    """Somebody else leases the grant right before the answer is written."""

    def __init__(self, grant):
        self.grants = Grant.objects.filter(pk=grant.pk)

    def __call__(self, execute, sql, params, many, context):
        is_storing = "UPDATE" in sql and "last_rotated_at" in sql
        if is_storing and self.grants is not None:
            leased, self.grants = self.grants, None
            leased.update(
                lease_id=uuid4(), lease_until=database_now() + timedelta(seconds=75)
            )
        return execute(sql, params, many, context)


class _Refusing:
    """The wire to the database, cut for the writing of token sets."""

    def __init__(self, error, times):
        self.error, self.times = error, times

    def __call__(self, execute, sql, params, many, context):
        is_asked = "UPDATE" in sql and "sealedtokenset" in sql
        if is_asked and self.times:
            self.times -= 1
            raise self.error("not now")
        return execute(sql, params, many, context)


def _refuse_token_sets(execute, sql, params, many, context):
    if "UPDATE" in sql and "sealedtokenset" in sql:
        raise OperationalError("the database went away")
    return execute(sql, params, many, context)


def test_a_spooled_answer_is_found_by_a_refresh_on_demand(data_center_grant, settings):
    """A machine that runs the site alone has no sweep to import its files."""
    grants.make_due(data_center_grant)
    lease_id, (row,) = claim.lease_due([data_center_grant.pk])
    leased = claim.open_leased(row, lease_id)
    answer = exchange(leased, deadline=Deadline(30))
    spool.keep(leased.grant, answer, asked_at=leased.asked_at)
    Grant.objects.update(lease_id=None, lease_until=None)
    refresh.refresh_now(grant_id=data_center_grant.pk)
    assert grants.again(data_center_grant).generation == 2
    assert _files(settings) == []


def test_a_file_that_is_none_of_ours_is_left_alone(settings, cloud_grant):
    spool.keep(cloud_grant, ANSWER, asked_at=ASKED_AT)
    (settings.CONFLUENCE_LINK_SPOOL_DIR / "copy.sealed").write_bytes(b"?")
    assert len(list(spool.kept())) == 1
