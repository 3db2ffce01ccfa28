"""A PgBouncer that pools by transaction between us and PostgreSQL (F27).

Each transaction may be on another connection than the one before it: whatever would be
kept by a session is gone, or is somebody else's.
"""

from __future__ import annotations

import pytest

from tests.databases import connect
from tests.faults.pgbouncer import pooler
from tests.faults.postgresql import own_server
from tests.faults.stage import assert_sound, staged
from tests.sandbox_process import PARTS

pytestmark = pytest.mark.processes

MANY, ROUNDS = 200, 3
# Fewer than there are processes, so that none of them can have one to itself.
CONNECTIONS = 2
# What PostgreSQL complains about the lack of; other errors it meets every day.
KEPT = ("prepared statement", "portal", "cursor")
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
# All but the one that asks, and what works inside of PostgreSQL.
USERS = """SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
    AND datname = current_database() AND backend_type = 'client backend'"""


@pytest.fixture(scope="module")
def server():
    with own_server() as started:
        yield started


@pytest.fixture(scope="module")
def pooled_stage(server, tmp_path_factory):
    """Migrated through the pooler, too, with the settings that the docs name."""
    directory = tmp_path_factory.mktemp("stage")
    with (
        pooler(server, directory / "pgbouncer.log", size=CONNECTIONS) as url,
        staged(
            directory,
            database=f"{url}?DISABLE_SERVER_SIDE_CURSORS=true",
            CONFLUENCE_LINK_PREPARED_STATEMENTS="0",
            CONFLUENCE_LINK_SWEEP_SECONDS="1",
        ) as made,
    ):
        yield made


@pytest.fixture
def stage(pooled_stage, server):
    """Nothing is asked of a connection that another one was told."""
    pooled_stage.begin_anew()
    before = len(server.log())
    yield pooled_stage
    pooled_stage.end_beat()
    pooled_stage.end_workers()
    told = server.log()[before:].splitlines()
    assert [line for line in told if any(kept in line for kept in KEPT)] == []


def counted(server, query):
    """Asked beside the pooler."""
    with connect(server.url) as connection:
        return connection.execute(query).fetchone()[0]


def test_f27_behind_a_pooler_of_transactions_each_grant_is_refreshed_once_a_round(
    stage, server
):
    ids = stage.link_many(MANY)
    stage.worker("prefork")
    stage.another_worker("threads")
    stage.beat()
    for generation in range(2, 2 + ROUNDS):
        stage.inside("make_due", ids)
        stage.until_all_have_generation(generation, len(ids))
        assert 0 < counted(server, USERS) <= CONNECTIONS
        assert counted(server, LOCKS) == 0
    stage.until_quiet()

    assert stage.exchanges("cloud") == ROUNDS * len(ids)
    assert_sound(stage)


def test_f27_behind_a_pooler_two_workers_exchange_a_grant_once(stage):
    stage.end_workers()
    for _ in range(2):
        stage.another_worker("threads")
    ids = list(stage.grants.values())
    stage.inside("make_due", ids)
    for _ in range(20):
        stage.inside("ask", ids)

    for part in PARTS:
        stage.until_generation(part, 2)
    stage.until_quiet()
    assert [stage.exchanges(part) for part in PARTS] == [1, 1]
    assert_sound(stage)


# Takes its time; `make test-faults` runs it.
@pytest.mark.faults
def test_f27_behind_a_pooler_a_worker_that_is_killed_loses_nothing(stage):
    for part in PARTS:
        stage.kill_at("answered" if part == "cloud" else "leased", part)
        stage.worker()
        stage.lease_ends()
        stage.tick()
        stage.until_generation(part, 2)
    stage.until_quiet()
    assert_sound(stage)


def test_f27_behind_a_pooler_long_lists_are_read_to_their_end(stage):
    """As `reseal_tokens` does, while workers use the same few connections."""
    ids = stage.link_many(MANY)
    told = stage.made.manage(
        "reseal_tokens",
        CONFLUENCE_LINK_VAULT_KEYS=",".join(
            reversed(stage.made.environment["CONFLUENCE_LINK_VAULT_KEYS"].split(","))
        ),
    )
    assert str(len(ids) + len(PARTS)) in told
    stage.worker()
    stage.inside("make_due", ids)
    stage.tick()
    stage.until_all_have_generation(2, len(ids))
    stage.until_quiet()
    assert_sound(stage)
