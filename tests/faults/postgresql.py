"""A PostgreSQL of a test's own that can be ended, started again and set back."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.run.servers import temporary_server
from tests.databases import connect

if TYPE_CHECKING:
    from collections.abc import Iterator


class Server:
    """`url` is of its only database; it stays the same through every restart."""

    def __init__(self, url: str) -> None:
        self.url = url
        with connect(url) as connection:
            (directory,) = connection.execute("SHOW data_directory").fetchone() or ("",)
            (self.sockets,) = connection.execute(
                "SHOW unix_socket_directories"
            ).fetchone() or ("",)
        self._data = Path(directory)
        self._copy = self._data.with_name("copy")
        process = (self._data / "postmaster.pid").read_text().split()[0]
        self._control = Path(f"/proc/{process}/exe").resolve().with_name("pg_ctl")
        # Whom its data belong to: as root, neither it nor its poolers run.
        self.as_owner: dict[str, Any] = _as_owner_of(self._data)

    def log(self) -> str:
        return (self._data / "log").read_text(errors="replace")

    def stop(self) -> None:
        """As in a power cut."""
        self._run("stop", "--mode", "immediate")

    def start(self) -> None:
        # On its socket only, as before.
        options = f"-h '' -k {self.sockets}"
        self._run("start", "--log", str(self._data / "log"), "--options", options)

    def restart(self) -> None:
        self.stop()
        self.start()

    def keep_copy(self) -> None:
        """What a replica knows that has not heard of anything later."""
        self.stop()
        shutil.rmtree(self._copy, ignore_errors=True)
        subprocess.run(["cp", "--archive", self._data, self._copy], check=True)
        self.start()

    def go_back(self) -> None:
        """All commits since `keep_copy` are lost."""
        self.stop()
        shutil.rmtree(self._data)
        self._copy.rename(self._data)
        self.start()

    def _run(self, verb: str, *options: str) -> None:
        subprocess.run(
            [self._control, verb, "--wait", "--silent", "-D", self._data, *options],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **self.as_owner,
        )


def _as_owner_of(path: Path) -> dict[str, Any]:
    """For whoever starts a process; nobody but root may be somebody else."""
    if os.geteuid():
        return {}
    owner = path.stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}


@contextmanager
def own_server() -> Iterator[Server]:
    with temporary_server("postgresql") as url:
        server = Server(url)
        try:
            yield server
        finally:
            # Its starter knows of the first one only.
            server.stop()
