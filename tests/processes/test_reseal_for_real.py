"""A real `reseal_tokens` that is killed and run again, on both databases (V05)."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing

import pytest

from config.run import programs
from tests.databases import connect
from tests.installation import installation

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

ROWS = 4_000
NEW = "new:QmVXH2xzoZrzYyYkS0bL5yY1o3V1p1m2r8cKqk3w0tE="
SEED = """
from datetime import timedelta
from confluence_link import vault
from confluence_link.models import Grant, SealedTokenSet, database_now
from tests import factories
user, app = factories.make_user("Alice"), factories.make_oauth_app()
now = database_now()
made = Grant.objects.bulk_create(
    Grant(oauth_app=app, user=user, account_id=str(number), consented_at=now,
          expires_at=now + timedelta(hours=1), refresh_at=now + timedelta(hours=1),
          last_rotated_at=now) for number in range({rows}))
SealedTokenSet.objects.bulk_create(
    SealedTokenSet(grant=grant, access=vault.seal_access(grant, f"a-{{grant.pk}}"),
                   refresh=vault.seal_refresh(grant, f"r-{{grant.pk}}"),
                   key_id=vault.sealing_key_id()) for grant in made)
"""
COUNT = """
import json
from collections import Counter
from confluence_link import vault
from confluence_link.models import SealedTokenSet
counts = Counter()
for row in SealedTokenSet.objects.select_related("grant"):
    assert vault.open_access(row.grant, row.access) == f"a-{row.grant_id}"
    assert vault.open_refresh(row.grant, row.refresh) == f"r-{row.grant_id}"
    assert {vault.key_id_of(row.access), vault.key_id_of(row.refresh)} == {row.key_id}
    counts[row.key_id] += 1
print(json.dumps(counts))
"""

MOVED = "SELECT count(*) FROM confluence_link_sealedtokenset WHERE key_id = 'new'"


def counts(made):
    """Token sets by key id; all of them open."""
    return json.loads(made.manage("shell", "-v", "0", "-c", COUNT))


@pytest.mark.parametrize(
    "database", ["postgresql", pytest.param("sqlite", marks=pytest.mark.faults)]
)
def test_v05_killed_midway_and_run_again_it_finishes(tmp_path, database):
    directory = tmp_path / database
    directory.mkdir()
    with installation(directory, database=database) as made:
        made.manage("shell", "-v", "0", "-c", SEED.format(rows=ROWS))
        (old,) = counts(made)
        ring = made.environment["CONFLUENCE_LINK_VAULT_KEYS"]
        made.environment["CONFLUENCE_LINK_VAULT_KEYS"] = f"{NEW},{ring}"

        made.start("reseal", programs.manage("reseal_tokens"))
        kill_midway(made)
        midway = counts(made)
        assert set(midway) == {"new", old}
        assert sum(midway.values()) == ROWS

        told = made.manage("reseal_tokens")
        assert f"token sets: {midway[old]} moved" in told
        assert counts(made) == {"new": ROWS}

        # The old key is needed no more.
        made.environment["CONFLUENCE_LINK_VAULT_KEYS"] = NEW
        assert f"token sets: {ROWS} under new" in made.manage("reseal_tokens")
        made.start_site()


def kill_midway(made):
    """As soon as another process sees that some were moved."""
    end = time.monotonic() + 60
    with closing(connected(made.environment["DATABASE_URL"])) as connection:
        while not connection.execute(MOVED).fetchone()[0]:
            assert time.monotonic() < end
    made.kill("reseal")


def connected(url):
    if url.startswith("sqlite:///"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    return connect(url)
