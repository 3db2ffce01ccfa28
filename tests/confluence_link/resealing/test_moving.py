"""Everything sealed moves to the first key; what others write meanwhile stays.

Tests named after a number prove that line of the list of threats and faults.
"""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection, transaction

from confluence_link import linking, refresh, resealing, vault
from confluence_link.models import (
    Grant,
    OAuthApp,
    PendingLink,
    SealedTokenSet,
    database_now,
)
from confluence_link.refresh import store
from confluence_link.resealing import moving
from confluence_link.resealing.kinds import KINDS
from confluence_link.tokens import TokenSet
from tests import grants
from tests.confluence_link.resealing import sealed
from tests.confluence_link.resealing.sealed import NEW, OLD

TOKEN_SETS, RETIRED, *_ = KINDS


def reseal():
    return resealing.reseal(progress=lambda name, count: None)


def key_ids():
    """Of all values of all kinds."""
    use = resealing.use_of_keys()
    return {key_id for counts in use.by_kind.values() for key_id in counts}


@pytest.fixture
def ring(settings):
    """Both keys, the new one first."""
    return list(settings.CONFLUENCE_LINK_VAULT_KEYS)


@pytest.fixture
def grant(settings, ring, sandbox, cloud_app, alice, organization):
    """One of each kind under the old key; the new one is in front now."""
    sealed.only_old_key(settings)
    vault.seal_client_secret(cloud_app, sandbox.cloud.client.secrets[0])
    cloud_app.save()
    grant = sealed.one_of_each(sandbox, cloud_app, alice, organization)
    settings.CONFLUENCE_LINK_VAULT_KEYS = ring
    return grant


@pytest.fixture
def copies(settings, ring, grant):
    """Ten more grants, under the old key like the first."""
    sealed.only_old_key(settings)
    made = [grants.again(grants.copy_of(grant)) for _ in range(10)]
    settings.CONFLUENCE_LINK_VAULT_KEYS = ring
    return made


# Moving
# ------------------------------------------------------------------------------
def test_v05_every_kind_moves_and_opens_as_before(grant):
    before = sealed.opened()
    use = resealing.use_of_keys()
    assert set(use.by_kind) == sealed.NAMES
    assert key_ids() == {OLD}

    result = reseal()

    assert set(result.moved) == sealed.NAMES
    assert not result.unopened
    assert result.left == 0
    assert key_ids() == {NEW}
    assert sealed.opened() == before


def test_v05_without_the_old_key_everything_opens_afterwards(settings, ring, grant):
    before = sealed.opened()
    reseal()

    settings.CONFLUENCE_LINK_VAULT_KEYS = [key for key in ring if OLD not in key]

    assert sealed.opened() == before
    assert resealing.key_problems() == []
    grants.make_due(grant)
    assert refresh.refresh_batch([grant.pk]) == [refresh.Outcome.REFRESHED]


def test_v05_what_is_under_the_first_key_is_not_touched(grant):
    reseal()
    before = sealed.everything()

    result = reseal()

    assert not result.moved
    assert sealed.everything() == before


@pytest.mark.django_db(transaction=True)
def test_v05_whoever_is_stopped_midway_goes_on_where_it_ended(copies):
    """The process ends when the third batch is written; the others are committed."""

    class Stopped(BaseException):
        pass

    writes = itertools.count()

    def stop(execute, sql, params, many, context):
        is_write = sql.startswith('UPDATE "confluence_link_sealedtokenset"')
        if is_write and next(writes) == 4:
            raise Stopped
        return execute(sql, params, many, context)

    before = sealed.opened()
    with pytest.MonkeyPatch.context() as patch:
        # Small ones, so that there are several.
        patch.setattr(moving, "BATCH", 2)
        with connection.execute_wrapper(stop), pytest.raises(Stopped):
            reseal()
    done = SealedTokenSet.objects.filter(key_id=NEW)
    first = {row.pk: bytes(row.access) for row in done}
    assert len(first) == 4
    assert key_ids() == {NEW, OLD}
    assert sealed.opened() == before

    reseal()

    assert key_ids() == {NEW}
    assert sealed.opened() == before
    again = SealedTokenSet.objects.in_bulk(first)
    assert {pk: bytes(row.access) for pk, row in again.items()} == first


def test_more_rows_than_a_batch_all_move(monkeypatch, copies):
    monkeypatch.setattr(moving, "BATCH", 3)
    told = []

    resealing.reseal(progress=lambda name, count: told.append((name, count)))

    assert key_ids() == {NEW}
    of_tokens = [count for name, count in told if name == "token sets"]
    assert of_tokens == [3, 3, 3, 2]


# What does not open
# ------------------------------------------------------------------------------
def test_a_row_that_does_not_open_is_counted_and_stays(grant):
    spoiled = bytearray(SealedTokenSet.objects.get().refresh)
    spoiled[-1] ^= 1
    SealedTokenSet.objects.update(refresh=bytes(spoiled))
    OAuthApp.objects.update(sealed_proxy_credentials=b"not an envelope")
    before = SealedTokenSet.objects.values().get()

    result = reseal()

    assert result.unopened == {("token sets", OLD): 1, ("proxy credentials", ""): 1}
    after = SealedTokenSet.objects.values().get()
    del before["previous_refresh"], after["previous_refresh"]
    assert after == before
    app = OAuthApp.objects.get()
    assert bytes(app.sealed_proxy_credentials) == b"not an envelope"
    assert vault.key_id_of(app.sealed_client_secret) == NEW


def test_rows_of_a_missing_key_wait_for_it(settings, ring, grant):
    before = sealed.everything()
    settings.CONFLUENCE_LINK_VAULT_KEYS = [key for key in ring if OLD not in key]

    result = reseal()

    assert not result.moved
    assert {key_id for _, key_id in result.unopened} == {OLD}
    assert sealed.everything() == before
    settings.CONFLUENCE_LINK_VAULT_KEYS = ring
    assert not reseal().unopened
    assert key_ids() == {NEW}


# Beside others
# ------------------------------------------------------------------------------
def successor(grant, text):
    """Stores the next token set, as a refresh does."""
    return store.store(
        grant=grant,
        lease_id=None,
        refresh_token="",
        token_set=TokenSet(f"CNRY-a-{text}", f"CNRY-r-{text}", 3600, None),
        asked_at=database_now(),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", [TOKEN_SETS, RETIRED], ids=lambda kind: kind.name)
def test_f44_a_refresh_between_reading_and_writing_wins(grant, kind):
    (row,) = kind.rows()
    resealed = [(row, kind.moved(row))]
    assert successor(grant, "new")

    assert moving.write(kind, resealed) == set()

    assert grants.tokens(grant) == ("CNRY-a-new", "CNRY-r-new")
    assert sealed.opened()


@pytest.mark.django_db(transaction=True)
def test_f44_what_was_resealed_during_an_exchange_has_its_successor(grant):
    """The exchange opened the old envelope; its answer finds the new one."""
    reseal()

    assert successor(grant, "new")

    assert grants.tokens(grant) == ("CNRY-a-new", "CNRY-r-new")
    assert reseal().unopened == {}


@pytest.mark.django_db(transaction=True)
def test_f44_a_new_consent_between_reading_and_writing_wins(
    sandbox, cloud_app, alice, organization, grant
):
    (row,) = TOKEN_SETS.rows()
    resealed = [(row, TOKEN_SETS.moved(row))]
    people = {"user": alice, "organization": organization}
    linked_again = grants.link_cloud(sandbox, cloud_app, **people)
    assert linked_again.epoch == grant.epoch + 1
    newest = grants.tokens(grant)

    assert moving.write(TOKEN_SETS, resealed) == set()

    assert grants.tokens(grant) == newest


@pytest.mark.django_db(transaction=True)
def test_f45_what_was_unlinked_meanwhile_stays_erased(grant, alice):
    (row,) = TOKEN_SETS.rows()
    resealed = [(row, TOKEN_SETS.moved(row))]
    linking.unlink(linked_site=grant.linked_sites.get(), actor=alice)

    assert moving.write(TOKEN_SETS, resealed) == set()

    assert not SealedTokenSet.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_f44_what_changed_since_it_was_read_is_not_overwritten(grant, kind):
    row = kind.rows().order_by("pk").last()
    resealed = [(row, kind.moved(row))]
    assert moving.write(kind, resealed) == {row.pk}
    after = sealed.everything()

    # Read before, as by a second run at the same time.
    assert moving.write(kind, resealed) == set()

    assert sealed.everything() == after


@pytest.mark.django_db(transaction=True)
def test_a_used_recovery_code_stays_used(grant):
    """allauth marks it in the column that is resealed."""
    kind = KINDS[-1]
    rows = [(row, kind.moved(row)) for row in kind.rows()]
    codes = Authenticator.objects.get(type="recovery_codes")
    codes.data["used_mask"] = 7
    codes.save()

    assert codes.pk not in moving.write(kind, rows)

    reseal()
    codes.refresh_from_db()
    assert codes.data["used_mask"] == 7
    assert set(kind.key_ids(codes)) == {NEW}


@pytest.mark.django_db(transaction=True)
def test_f44_refreshes_and_resealing_race_and_the_newest_tokens_win(
    settings, ring, copies
):
    """Each round moves everything, to the other key, while everything is refreshed."""
    newest = {}

    def refresh_all(turn):
        try:
            for each in copies[turn::2]:
                text = f"{each.pk}-{each.generation}"
                assert successor(each, text)
                newest[each.pk] = (f"CNRY-a-{text}", f"CNRY-r-{text}")
        finally:
            connection.close()

    def reseal_all():
        try:
            return reseal()
        finally:
            connection.close()

    for round_ in range(12):
        # No thread runs at this moment.
        settings.CONFLUENCE_LINK_VAULT_KEYS = ring[:: 1 if round_ % 2 else -1]
        with ThreadPoolExecutor(3) as pool:
            refreshing = [pool.submit(refresh_all, turn) for turn in (0, 1)]
            result = pool.submit(reseal_all).result(timeout=60)
            for each in refreshing:
                each.result(timeout=60)
        assert not result.unopened
        copies = [grants.again(each) for each in copies]
        assert {each.pk: grants.tokens(each) for each in copies} == newest
        sealed.opened()
        reseal()
        assert key_ids() == {vault.sealing_key_id()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_f44_a_locked_row_is_waited_for_by_looking_again(grant):
    """Never by waiting in line: two that wait for each other would end in an error."""
    locked, free = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                SealedTokenSet.objects.select_for_update().get()
                locked.set()
                # Until it was looked at twice.
                free.wait(timeout=30)
        finally:
            connection.close()

    looks = itertools.count()

    def count(execute, sql, params, many, context):
        if "SKIP LOCKED" in sql and "sealedtokenset" in sql and next(looks) == 1:
            free.set()
        return execute(sql, params, many, context)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        assert locked.wait(timeout=30)
        with connection.execute_wrapper(count):
            result = reseal()

    assert result.left == 0
    assert key_ids() == {NEW}


def test_a_pending_link_and_its_person_go_on_afterwards(grant, alice):
    pending = PendingLink.objects.get()
    reseal()

    linked = linking.confirm(
        pending=PendingLink.objects.select_related("oauth_app").get(),
        site_ids=[site["site_id"] for site in pending.sites],
        actor=alice,
    )

    assert Grant.objects.filter(pk=linked[0].grant_id, status="active").exists()
