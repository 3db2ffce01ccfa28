"""What a test of faults plays on: an installation, its sandbox, two linked grants.

The clocks of database and processes are not set; instead every time in the rows is
moved back and the sandbox's clock on, so a lease or a gap is over without waiting.
"""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import redis
from psycopg import sql

from config.env import BASE_DIR
from tests.canaries import found_in
from tests.databases import connect, name_of
from tests.faults.points import Points
from tests.installation import VAULT_KEY, installation
from tests.sandbox_process import (
    DATA_CENTER_CLIENT_ID,
    DATA_CENTER_CLIENT_SECRET,
    PARTS,
    sandbox_process,
)
from tests.traces import traces_without_sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.installation import Installation
    from tests.sandbox_process import SandboxProcess

# Opens from the beginning, so that it may seal one day.
NEXT_KEY = "next:QmVXH2xzoZrzYyYkS0bL5yY1o3V1p1m2r8cKqk3w0tE="
LEASE_SECONDS = 75
PROVIDERS = {"cloud": "cloud", "data-center": "wiki"}
# Whose consents are behind the grants that a test makes many of: Bob, and Erik.
OTHERS = {
    "cloud": {
        "account_id": "712020:0c1f6a3e-3c2f-4e7c-9a55-6f1f5f0b0b02",
        "site_id": "11111111-aaaa-4aaa-8aaa-000000000002",
    },
    "data-center": {"account_id": "erik"},
}
PATIENCE_SECONDS = 40
# The types of keys in which Celery's messages lie, waiting or taken.
QUEUED = {b"list", b"hash", b"zset"}

_numbers = itertools.count(1)


class Inside:
    """A process of the installation that answers questions; see `inside`."""

    def __init__(self, made: Installation) -> None:
        self._log = (made.directory / "inside.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.inside"],
            cwd=BASE_DIR,
            env=made.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __call__(self, name: str, *arguments: Any) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"name": name, "arguments": arguments}) + "\n")
        stdin.flush()
        answer = json.loads(stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()


@dataclass
class Stage:
    """`grants` are the ids of the rows by the part of the sandbox."""

    made: Installation
    box: SandboxProcess
    points: Points
    inside: Inside
    grants: dict[str, int] = field(default_factory=dict)
    # The first and the last id of a crowd, where there is one.
    crowd: tuple[int, int] = (0, 0)
    workers: list[str] = field(default_factory=list)
    _is_database_away: bool = False
    _beat: str = ""

    # --- the beginning of a test ----------------------------------------------

    def kill_at(self, point: str, part: str) -> None:
        """This part's grant is due, and the worker that refreshes it dies there."""
        victim = self.worker()
        self.points.at(point, "kill")
        self.sweep(part)
        assert self.made.wait_for_end(victim) == -signal.SIGKILL
        # What it had taken would come again after eleven minutes.
        self.forget_messages()

    def begin_anew(self) -> None:
        """Alice with a grant at each part; nothing else is left of other tests."""
        self.points.release()
        self.end_beat()
        if self._is_database_away:
            self.database_back()
        self.forget_messages()
        self.begin_without_grants()
        self.grants = {
            "cloud": self.inside("link_cloud", self.box.cloud_url),
            "data-center": self.inside("link_data_center", self.box.data_center_url),
        }

    def begin_without_grants(self) -> None:
        """Alice, her organization and the two apps."""
        self.box.ask("POST", "/reset")
        self.inside(
            "begin_anew",
            self.box.data_center_url,
            DATA_CENTER_CLIENT_ID,
            DATA_CENTER_CLIENT_SECRET,
        )

    def link_many(self, count: int, part: str = "cloud") -> list[int]:
        """Grants of accounts of their own; in the sandbox families of one account."""
        asked = {"count": count, **OTHERS[part]}
        answers = self.box.ask("POST", f"/{part}/consents", asked)
        return list(self.inside("link_many", PROVIDERS[part], answers))

    def worker(self, pool: str = "threads") -> str:
        """The name of the only worker. With threads, it is killed as one process."""
        fit = [name for name in self.running() if name.startswith(pool)][:1]
        self.end_workers(but=fit)
        return fit[0] if fit else self.another_worker(pool)

    def another_worker(self, pool: str = "threads", *options: str) -> str:
        name = f"{pool}-{next(_numbers)}"
        self.made.start_worker(name, *options, pool=pool)
        self.workers.append(name)
        return name

    @contextmanager
    def worker_with(self, **variables: str) -> Iterator[str]:
        """The only worker, whose settings differ in these; its name."""
        self.end_workers()
        right = dict(self.made.environment)
        self.made.environment.update(variables)
        try:
            name = self.another_worker()
        finally:
            self.made.environment.clear()
            self.made.environment.update(right)
        yield name
        self.end_workers()

    def end_workers(self, but: Sequence[str] = ()) -> None:
        """At once, as they may be held."""
        for name in self.running():
            if name not in but:
                self.made.kill(name)

    def is_working(self) -> bool:
        return bool(self.running())

    def beat(self) -> str:
        """The name of the only beat, started if there is none."""
        if not self.made.is_running(self._beat):
            self._beat = f"beat-{next(_numbers)}"
            self.made.start_beat(self._beat)
        return self._beat

    def end_beat(self) -> None:
        if self.made.is_running(self._beat):
            self.made.kill(self._beat)

    def running(self) -> list[str]:
        return [name for name in self.workers if self.made.is_running(name)]

    def until_quiet(self) -> None:
        """No message waits, and none is being worked on.

        Asked twice: for a moment, one that is just being taken is nowhere.
        """
        until(self._is_quiet, lambda: f"there are {self._messages()}")

    def _is_quiet(self) -> bool:
        if self._messages():
            return False
        time.sleep(0.02)
        return not self._messages()

    def _messages(self) -> list[bytes]:
        with redis.Redis.from_url(self.made.environment["REDIS_URL"]) as broker:
            return [
                key
                for key in broker.scan_iter()
                # Not the names of the queues.
                if broker.type(key) in QUEUED and b"_kombu" not in key
            ]

    def forget_messages(self) -> None:
        """Those that wait or were taken by somebody; the queues stay declared."""
        with redis.Redis.from_url(self.made.environment["REDIS_URL"]) as broker:
            for key in self._messages():
                broker.delete(key)

    # --- a refresh ------------------------------------------------------------

    def sweep(self, *parts: str) -> None:
        """These grants are due now, and a sweep finds them."""
        self.inside("make_due", [self.grants[part] for part in parts or PARTS])
        self.tick()

    def tick(self) -> None:
        """Beat's message: what is due by its own plan goes to the workers."""
        self.inside("sweep")

    def lease_ends(self) -> None:
        """Whoever held one is late from now on."""
        self.pass_time(LEASE_SECONDS + 1)

    def pass_time(self, seconds: float) -> None:
        self.inside("move_back", seconds)
        self.box.ask("POST", "/clock", {"advance_seconds": seconds})

    def live(self, *, minutes: int, each: int = 1) -> None:
        """So much time in steps, with a sweep after each that is worked off."""
        for _ in range(0, minutes, each):
            self.pass_time(60 * each)
            self.tick()
            self.until_quiet()

    def sweep_until_all_have_generation(self, least: int, count: int) -> None:
        """As beat would, at the pace of the clock on the wall."""
        end = time.monotonic() + 120
        while self.inside("count_generation", least) < count:
            assert time.monotonic() < end, self.inside("count_generation", least)
            self.tick()
            time.sleep(1)
        self.until_quiet()

    def row(self, part: str) -> dict[str, Any]:
        found: dict[str, Any] = self.inside("row", self.grants[part])
        return found

    def until_generation(self, part: str, generation: int) -> None:
        until(
            lambda: self.row(part)["generation"] == generation,
            lambda: f"{part} has no generation {generation}: {self.row(part)}",
        )

    def until_reached(self, point: str) -> None:
        until(lambda: self.points.is_reached(point), lambda: f"no {point} was reached")

    def logged(self, text: str) -> int:
        """How often the workers of this file of tests have written it so far."""
        return sum(self.made.log(name).count(text) for name in self.workers)

    def until_all_have_generation(self, least: int, count: int) -> None:
        """So many grants of Cloud have that one or a later one."""
        until(
            lambda: self.inside("count_generation", least) >= count,
            lambda: f"only {self.inside('count_generation', least)} of {count}",
        )

    # --- the database ---------------------------------------------------------

    def database_away(self) -> None:
        """Every connection is cut and none is taken, as in a restart that hangs."""
        self._is_database_away = True
        self._administer("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false")
        self.cut_from_database()

    def database_back(self) -> None:
        self._administer("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true")
        self._is_database_away = False

    def cut_from_database(self) -> None:
        """Whoever is connected has to connect again."""
        self._administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            name_of(self.made.environment["DATABASE_URL"]),
        )

    def set_in_database(self, name: str, value: str) -> None:
        """For whoever connects from now on; `DEFAULT` takes it back."""
        written = "DEFAULT" if value == "DEFAULT" else f"'{value}'"
        self._administer(f"ALTER DATABASE {{}} SET {name} = {written}")

    def _administer(self, statement: str, *parameters: str) -> None:
        """From another database of the same server."""
        url = self.made.environment["DATABASE_URL"]
        named = sql.SQL(statement).format(sql.Identifier(name_of(url)))
        with connect(url, database="postgres") as connection:
            connection.execute(named, parameters or None)

    # --- the other side -------------------------------------------------------

    def fault(
        self, part: str, preset: str, *, place: str = "token", **how: Any
    ) -> None:
        body = {"place": place, "preset": preset, **how}
        self.box.ask("POST", f"/{part}/faults", body)

    def clear(self, part: str) -> None:
        self.box.ask("DELETE", f"/{part}/faults")

    def release(self, part: str) -> None:
        self.box.ask("POST", f"/{part}/release")

    def behave(self, part: str, **values: Any) -> None:
        self.box.ask("PATCH", f"/{part}/behaviour", values)

    def family(self, part: str) -> dict[str, Any]:
        """The newest one: of the last consent."""
        found: dict[str, Any] = self.box.state(part)["families"][-1]
        return found

    def exchanges(self, part: str) -> int:
        """How many refresh tokens were exchanged there."""
        return self.box.count(part, "exchange.refresh_token.ok")

    def until_counted(self, part: str, name: str, least: int = 1) -> None:
        until(
            lambda: self.box.count(part, name) >= least,
            lambda: f"{part} counted no {least} {name}",
        )


def until(
    condition: Callable[[], object],
    complaint: Callable[[], str] = lambda: "it did not happen",
    seconds: float = PATIENCE_SECONDS,
) -> None:
    """Asks again and again; what does not come true fails the test."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, complaint()
        time.sleep(0.05)


# --- the universal check -------------------------------------------------------


def assert_sound(stage: Stage, *parts: str, given_up: str = "") -> None:
    """What must hold after every fault, whatever it was.

    Each grant is usable: one more refresh succeeds, and the API takes the token. The
    other side saw no breach, but for the first consent at `given_up`. Nothing is
    leased, due or said to be in trouble; and no secret lies anywhere.
    """
    for part in parts or PARTS:
        _assert_usable(stage, part, consents_given_up=int(part == given_up))
    assert stage.inside("leased") == 0
    assert stage.inside("due") == 0
    assert_no_secret(stage)


def _assert_usable(stage: Stage, part: str, *, consents_given_up: int) -> None:
    grant_id = stage.grants[part]
    stage.inside("make_due", [grant_id])
    assert stage.inside("refresh_now", grant_id) == "refreshed"
    assert stage.inside("use", grant_id)
    assert stage.family(part)["ended"] is None
    families = stage.box.state(part)["families"][consents_given_up:]
    assert [family["breaches"] for family in families] == [0] * len(families)
    row = stage.row(part)
    assert row["status"] == "active"
    assert (row["last_error"], row["consecutive_failures"]) == ("", 0)
    assert row["uncertain_since"] is None


def assert_no_secret(stage: Stage) -> None:
    """Nothing that the sandbox issued is in the clear, wherever it may lie."""
    assert not found_in(str(stage.inside("sessions")).encode())
    for place, data in traces_without_sessions(stage.made, stage.box):
        assert not found_in(data), f"a secret lies in {place}"


# --- building it ---------------------------------------------------------------


@contextmanager
def staged(directory: Path, **settings: Any) -> Iterator[Stage]:
    """An installation with nothing running but the sandbox and `inside`.

    `settings` are `installation`'s: `database`, `broker`, variables.
    """
    points = directory / "points"
    points.mkdir(parents=True)
    with sandbox_process(access_token_seconds=3600) as box:
        variables = {
            **box.settings(),
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "CONFLUENCE_LINK_FAILPOINTS": str(points),
            "CONFLUENCE_LINK_VAULT_KEYS": f"{VAULT_KEY},{NEXT_KEY}",
            "LOG_LEVEL": "DEBUG",
            **settings,
        }
        with installation(directory, **variables) as made:
            box.register_callbacks(made.url)
            stage = Stage(made, box, Points(points), Inside(made))
            try:
                yield stage
            finally:
                stage.points.release()
                stage.inside.end()
