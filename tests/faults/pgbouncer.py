"""A PgBouncer of a test's own that pools by transaction."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from config.run import ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.postgresql import Server

# As `config/run/install_programs.sh` looks for it.
PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
# Every user is `postgres`, without a password, as on the socket behind it. In turn, so
# that even a client which is alone has hardly ever the same connection again.
SETTINGS = """[databases]
* = host={sockets} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
min_pool_size = {size}
server_round_robin = 1
max_client_conn = 200
"""


@contextmanager
def pooler(server: Server, log: Path, *, size: int) -> Iterator[str]:
    """The URL of the same database through it; `size` connections lead there."""
    program = shutil.which("pgbouncer", path=PLACES)
    assert program, "There is no PgBouncer: config/run/install_programs.sh installs it."
    port = ports.free_port()
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as directory:
        # Its user reads it.
        Path(directory).chmod(0o755)
        settings = Path(directory) / "pgbouncer.ini"
        settings.write_text(
            SETTINGS.format(sockets=server.sockets, port=port, size=size)
        )
        with log.open("ab") as lines:
            process = subprocess.Popen(
                [program, settings],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=lines,
                **server.as_owner,
            )
        try:
            _wait(process, port, log)
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 10
    while not ports.answers("127.0.0.1", port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)
