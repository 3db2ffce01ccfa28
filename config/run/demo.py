"""`make demo`: site, worker, beat, a stand-in Atlassian and a Valkey, on loopback.

Needs nothing from outside, keeps its data in `var/demo/` (or `DEMO_DIRECTORY`),
and leaves no process behind.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from honcho.manager import Manager
from honcho.printer import Printer

from config.env import BASE_DIR
from config.run import demo_environment, ports, programs
from config.run.servers import temporary_server

DIRECTORY = Path(os.environ.get("DEMO_DIRECTORY", BASE_DIR / "var" / "demo"))


def main() -> int:
    os.chdir(BASE_DIR)
    DIRECTORY.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Static files come from where they lie, but a missing place would be warned of.
    (BASE_DIR / "staticfiles").mkdir(exist_ok=True)
    demo_environment.complete(DIRECTORY)
    refuse_taken_ports()
    with ExitStack() as stack:
        if "REDIS_URL" not in os.environ:
            valkey = stack.enter_context(temporary_server("valkey"))
            os.environ["REDIS_URL"] = valkey
        prepare()
        return run_all()


def site_address() -> programs.Address:
    return programs.listen_address(os.environ["PUBLIC_URL"])


def refuse_taken_ports() -> None:
    """Says which port is taken, and how to use another one."""
    site = site_address()
    wanted = [("PUBLIC_URL", site.host, site.port)]
    for name in ("CLOUD", "DATA_CENTER", "SMTP"):
        variable = f"SANDBOX_{name}_PORT"
        wanted.append((variable, "127.0.0.1", int(os.environ[variable])))
    taken = [one for one in wanted if ports.is_taken(*one[1:])]
    for variable, host, port in taken:
        other = ports.free_port()
        value = f"http://localhost:{other}" if variable == "PUBLIC_URL" else other
        print(f"Port {port} of {host} is taken, perhaps by another demo.")
        print(f"    Another one: make demo {variable}={value}")
    if taken:
        sys.exit(1)


def prepare() -> None:
    """Fills the database, and registers our callbacks with the sandbox."""
    import django

    django.setup()
    from config.run import demo_data

    callbacks = demo_data.prepare()
    os.environ.setdefault("SANDBOX_REDIRECT_URI", callbacks.cloud)
    os.environ.setdefault("SANDBOX_DATA_CENTER_REDIRECT_URI", callbacks.data_center)


def run_all() -> int:
    """Runs until ctrl-C or SIGTERM, or until one of the processes ends."""
    again = [sys.executable, "-m", "config.run.restarted"]
    manager = PatientManager(Printer(Unbuffered()))
    commands = {
        "sandbox": [sys.executable, "-m", "sandbox"],
        "site": programs.site(site_address()),
        # Threads: the process manager signals a whole group of processes, and the
        # children of a pool would end in the middle of an exchange.
        "worker": [*again, *programs.worker(pool="threads", concurrency=4)],
        "beat": [*again, *programs.beat(DIRECTORY)],
        "demo": [sys.executable, "-m", "config.run.demo_ready"],
    }
    for name, command in commands.items():
        manager.add_process(name, f"exec {shlex.join(command)}", cwd=str(BASE_DIR))
    # The window that it runs in was closed: end as with ctrl-C.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    manager.loop()
    wanted = manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    return 0 if wanted else int(manager.returncode or 0)


class PatientManager(Manager):  # type: ignore[misc]  # honcho is untyped
    """Ends its processes when all of them were started, not while they are.

    Honcho itself loses sight of a process that is just being started, and then
    waits for it for ever.
    """

    end_is_wanted = False

    def terminate(self) -> None:
        self.end_is_wanted = True
        self._all_started()

    def _all_started(self) -> bool:
        """Asked by the loop all the time."""
        started: bool = super()._all_started()
        if started and self.end_is_wanted:
            super().terminate()
        return started


class Unbuffered:
    """Standard output for honcho, which prints in its signal handlers, too.

    A buffer refuses to be written to while it is being written to.
    """

    def write(self, text: str) -> None:
        with suppress(OSError):
            os.write(sys.stdout.fileno(), text.encode())

    def flush(self) -> None:
        """There is nothing to flush."""

    def isatty(self) -> bool:
        return sys.stdout.isatty()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("Ended before everything was started.")
