"""A whole installation for tests: site, worker and beat as processes of their own.

They share nothing with the test's process but the database server; each of their
lines is kept in a file.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from psycopg import sql

from config.env import BASE_DIR
from config.run import ports, programs
from config.run.servers import temporary_server
from tests.databases import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# What a process may take over from the test's: nothing that is a setting.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
VAULT_KEY = "test:9b04EWCArteHYpLCUoWM+dyNQblRuZbDu53sHiKwAhU="

_numbers = itertools.count(1)


@dataclass
class Installation:
    """`url` is the site's; `directory` holds the logs; `environment` the settings."""

    url: str
    directory: Path
    environment: dict[str, str]
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def manage(self, *arguments: str, **variables: str) -> str:
        """What the command of `manage.py` prints; `variables` are for it alone."""
        return subprocess.run(
            programs.manage(*arguments),
            cwd=BASE_DIR,
            env={**self.environment, **variables},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def start_site(self) -> None:
        address = programs.listen_address(self.url)
        self.start("site", programs.site(address))
        self._wait("site", lambda: ports.answers(*address))

    def start_worker(
        self, name: str = "worker", *options: str, pool: str = "prefork"
    ) -> None:
        command = [*programs.worker(pool=pool), "--hostname", f"{name}@%h", *options]
        self.start(name, command)
        self._wait(name, lambda: " ready." in self.log(name))

    def start_beat(self, name: str = "beat") -> None:
        directory = self.directory / name
        directory.mkdir()
        self.start(name, programs.beat(directory))
        self._wait(name, lambda: any(directory.iterdir()))

    def start(self, name: str, command: list[str]) -> None:
        with (self.directory / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command,
                cwd=BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # With its children a group, which a power cut ends as a whole.
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def end(self, name: str) -> None:
        """Ends it as a process manager would; at once if it does not."""
        process = self._processes.pop(name)
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """Ends it and its children as a power cut would."""
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def send(self, name: str, number: signal.Signals) -> None:
        self._processes[name].send_signal(number)

    def pid_of(self, name: str) -> int:
        return self._processes[name].pid

    def is_running(self, name: str) -> bool:
        return name in self._processes and self._processes[name].poll() is None

    def wait_for_end(self, name: str) -> int:
        """Its return code; what ends by itself is given a minute."""
        code = self._processes[name].wait(timeout=60)
        del self._processes[name]
        return code

    def end_all(self) -> None:
        for name in list(self._processes):
            self.end(name)

    def _wait(self, name: str, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not condition():
            if self._processes[name].poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{name} did not start:\n{self.log(name)}")
            time.sleep(0.1)


@contextmanager
def installation(
    directory: Path,
    *,
    database: str = "postgresql",
    broker: str = "",
    **settings: str,
) -> Iterator[Installation]:
    """A migrated installation with nothing running yet; `settings` are variables.

    `database` is `sqlite`, or `postgresql` for one of its own on the server that
    `DATABASE_URL` names, or on a temporary one; or a URL. `broker` is another
    server's URL in place of one of its own.
    """
    url = f"http://localhost:{ports.free_port()}"
    with ExitStack() as stack:
        environment = {
            name: os.environ[name] for name in INHERITED if name in os.environ
        } | {
            "PUBLIC_URL": url,
            "SECRET_KEY": "only-ever-signs-what-tests-made",
            "DATABASE_URL": database
            if "://" in database
            else stack.enter_context(_DATABASES[database](directory)),
            # One of its own, so that no message of another test is left in it.
            "REDIS_URL": broker or stack.enter_context(temporary_server("valkey")),
            "CONFLUENCE_LINK_VAULT_KEYS": VAULT_KEY,
            "CONFLUENCE_LINK_ALLOW_HTTP": "1",
            "CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "CONFLUENCE_LINK_SPOOL_DIR": str(directory / "spool"),
            **settings,
        }
        made = Installation(url, directory, environment)
        stack.callback(made.end_all)
        made.manage("migrate", "--verbosity", "0")
        made.manage("sync_cloud_app")
        yield made


@contextmanager
def _sqlite(directory: Path) -> Iterator[str]:
    yield f"sqlite:///{directory / 'db.sqlite3'}"


@contextmanager
def _postgresql(directory: Path) -> Iterator[str]:
    with ExitStack() as stack:
        server = os.environ.get("DATABASE_URL", "")
        if not server.startswith("postgres"):
            server = stack.enter_context(temporary_server("postgresql"))
        name = f"installation_{os.getpid()}_{next(_numbers)}"
        identifier = sql.Identifier(name)
        connection = stack.enter_context(connect(server))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        try:
            yield _with_database(server, name)
        finally:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier)
            )


def _with_database(server: str, name: str) -> str:
    parts = urlsplit(server)
    path = parts.path.rpartition("/")[0]
    return urlunsplit(parts._replace(path=f"{path}/{name}"))


_DATABASES = {"sqlite": _sqlite, "postgresql": _postgresql}
