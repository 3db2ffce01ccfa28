"""A hundred thousand grants that are due at once, with real processes (F30, F40, F41).

At the sweeps of production, and at a rate at which two organizations' turns of the list
fit into two of them. All times are of the endpoint's clock, and compared with the rate
alone: the cap, the ramp, and how long so many take at it.
"""

from __future__ import annotations

import time
from collections import Counter

import pytest

from benchmarks.accounting import family_cpu_seconds
from benchmarks.databases import postmaster_pid
from tests.faults.crowd_endpoint import crowd_endpoint
from tests.faults.postgresql import own_server
from tests.faults.stage import assert_no_secret, staged, until

pytestmark = [pytest.mark.processes, pytest.mark.faults, pytest.mark.timeout(0)]

BIG, ORGANIZATIONS, EACH = 100_000, 2_000, 10
PER_SECOND, SWEEP_SECONDS = 400, 30
# Two batches may be under way at once, in each of two processes, in any order.
JITTER = 4 * 500
AT_ONCE, PROCESSES = 100, 2
# What the database may take of one core, all its processes together.
DATABASE_CORES = 0.5


@pytest.fixture(scope="module")
def endpoint():
    with crowd_endpoint() as started:
        yield started


@pytest.fixture(scope="module")
def server():
    """Nobody else's, so that all it does is for the crowd."""
    with own_server() as started:
        yield started


@pytest.fixture(scope="module")
def crowded_stage(endpoint, server, tmp_path_factory):
    with staged(
        tmp_path_factory.mktemp("stage"),
        database=server.url,
        CONFLUENCE_CLOUD_TOKEN_URL=f"{endpoint.url}/oauth/token",
        CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND=str(PER_SECOND),
        CONFLUENCE_LINK_SWEEP_SECONDS=str(SWEEP_SECONDS),
        LOG_LEVEL="INFO",
    ) as made:
        made.begin_without_grants()
        made.crowd = made.inside("make_crowd", BIG, ORGANIZATIONS, EACH)
        yield made


@pytest.fixture
def stage(crowded_stage, endpoint):
    """Workers wait; beat comes when a test begins it."""
    endpoint.reset()
    endpoint.fail(0)
    crowded_stage.worker("prefork")
    yield crowded_stage
    crowded_stage.end_beat()
    crowded_stage.forget_messages()
    # Not killed: what is under way must be stored before the next test.
    for name in crowded_stage.running():
        crowded_stage.made.end(name)
    crowded_stage.inside("crowd_at_rest")


def make_due(stage, *, all_of_them=False, live_seconds=900):
    first, last = stage.crowd
    last += ORGANIZATIONS * EACH if all_of_them else 0
    stage.inside("make_crowd_due", first, last, live_seconds)
    return first, last


def until_exchanged(endpoint, count):
    end = time.monotonic() + 60 + 2 * count / PER_SECOND
    while len(endpoint.noted().order) < count:
        assert time.monotonic() < end, len(endpoint.noted().order)
        time.sleep(2)


def assert_paced(times):
    """Never more than the cap, in five seconds. In one, it may arrive unevenly.

    A process whose turn the machine delays still sends while the next one begins.
    """
    spans = Counter(int(at - times[0]) // 5 for at in times)
    assert max(spans.values()) <= 1.05 * 5 * PER_SECOND, spans


def test_f30_a_hundred_thousand_due_in_an_outage_are_probed_and_then_made_up_for(
    stage, endpoint
):
    """503 for everybody: some two minutes of it, then all of them again, in order."""
    endpoint.fail(503)
    # Longer than all of it takes, so whose tokens end was kept waiting for nothing.
    first, last = make_due(stage)
    stage.beat()
    until(lambda: stage.inside("health", "cloud").get("openings"), seconds=90)
    until(lambda: stage.inside("health", "cloud")["openings"] == 3, seconds=200)
    refused = endpoint.noted().refused_at
    endpoint.fail(0)
    until_exchanged(endpoint, BIG)
    stage.until_quiet()

    # What was under way when the breaker opened, then one probe in half a minute.
    burst = [at for at in refused if at < refused[0] + 10]
    probes = refused[len(burst) :]
    assert len(burst) <= AT_ONCE * PROCESSES
    assert len(probes) == 2
    assert min(b - a for a, b in zip([burst[-1], *probes], probes, strict=False)) > 29
    noted = endpoint.noted()
    assert noted.wrong == 0
    assert sorted(noted.order) == list(range(first, last + 1))
    times = noted.exchanged_at
    assert_paced(times)
    in_ramp = sum(at < times[0] + 10 for at in times)
    assert in_ramp < 10 * PER_SECOND / 2
    assert times[-1] - times[0] < BIG / PER_SECOND * 1.3
    assert_recently_used_first(noted.order[len(burst) :])
    assert_kept(stage, last)


def assert_recently_used_first(order):
    """The lower ids were used later; nobody is further from their place than jitter."""
    places = sorted(range(len(order)), key=order.__getitem__)
    furthest = max(abs(place - number) for number, place in enumerate(places))
    assert furthest <= JITTER


def assert_kept(stage, last):
    """All are active and were refreshed before their tokens ended, none in doubt."""
    rows = stage.inside("rows")
    assert {one["status"] for one in rows} == {"active"}
    assert {one["last_error"] for one in rows} == {""}
    assert {one["uncertain_since"] for one in rows} == {None}
    assert stage.inside("late", last) == 0
    assert stage.inside("leased") == 0
    assert stage.inside("due") == 0
    for pk in (stage.crowd[0], last):
        stage.inside("make_due", [pk])
        assert stage.inside("refresh_now", pk) == "refreshed"
    assert_no_secret(stage)


def test_f40_a_hundred_thousand_that_end_in_one_second_are_spread_by_the_cap(
    stage, endpoint, server
):
    """Hot first. The first tenth is waited for; F30 goes on to the last."""
    first, _ = make_due(stage)
    postmaster = postmaster_pid(server.url)
    before = family_cpu_seconds(postmaster)
    stage.beat()
    until_exchanged(endpoint, BIG // 10)
    cpu_seconds = family_cpu_seconds(postmaster) - before

    noted = endpoint.noted()
    took = noted.exchanged_at[-1] - noted.exchanged_at[0]
    assert cpu_seconds < took * DATABASE_CORES
    assert_no_secret(stage)
    assert noted.wrong == 0
    assert len(set(noted.order)) == len(noted.order)
    assert_paced(noted.exchanged_at)
    assert max(noted.order) - first < len(noted.order) + JITTER


def test_f41_two_thousand_small_organizations_are_done_within_two_sweeps(
    stage, endpoint
):
    """Beside one with a hundred thousand due, which were all used later."""
    first, last = make_due(stage, all_of_them=True)
    small = set(range(stage.crowd[1] + 1, last + 1))
    stage.beat()
    until(
        lambda: small <= set(endpoint.noted().order),
        lambda: f"{len(small - set(endpoint.noted().order))} wait",
        seconds=180,
    )

    noted = endpoint.noted()
    assert noted.wrong == 0
    assert_paced(noted.exchanged_at)
    places = [place for place, pk in enumerate(noted.order) if pk in small]
    # Everybody has had their ten turns by then, the big one as well.
    assert places[-1] < len(small) + EACH + JITTER
    took = noted.exchanged_at[places[-1]] - noted.exchanged_at[0]
    assert took < 2 * SWEEP_SECONDS
    assert first in noted.order[: ORGANIZATIONS + JITTER]
    assert_no_secret(stage)
