"""A PostgreSQL and a Valkey from Python packages, for as long as they are needed.

`python -m config.run.servers COMMAND …` runs a command with `DATABASE_URL` and
`REDIS_URL` naming servers: those that the environment names, else temporary ones.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# The variable that names a server, and the kind that is started for it.
KINDS = {"DATABASE_URL": "postgresql", "REDIS_URL": "valkey"}


@contextmanager
def temporary_server(kind: str) -> Iterator[str]:
    """Starts a `postgresql` or a `valkey`; its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "config.run.server_until_eof", kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C reaches the whole group; this one ends last.
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"no {kind} could be started")
        yield url
    finally:
        process.stdin.close()
        # A child that was forked meanwhile may hold the other end of its input.
        process.terminate()
        process.wait()
        process.stdout.close()


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """The variables that name the servers."""
    with ExitStack() as stack:
        yield {
            name: os.environ.get(name) or stack.enter_context(temporary_server(kind))
            for name, kind in KINDS.items()
        }


def run(command: Sequence[str]) -> int:
    """Runs it to its end, through ctrl-C and SIGTERM; its return code."""
    with servers() as names:
        process = subprocess.Popen(command, env={**os.environ, **names})
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
