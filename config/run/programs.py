"""The command lines of the site, a worker and beat, for a machine of one's own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "::1"}


class Address(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def listen_address(public_url: str) -> Address:
    """Where the site listens for people to find it at this URL.

    A name that is not this machine's loopback stands for a proxy in front, which
    reaches the site at 127.0.0.1.
    """
    parts = urlsplit(public_url)
    return Address(LOOPBACK.get(parts.hostname or "", "127.0.0.1"), parts.port or 8000)


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def site(address: Address) -> list[str]:
    """The site as in production: no reloading, no development server."""
    bind = ["--bind", str(address), "--threads", "16"]
    return [sys.executable, "-m", "cheroot", "config.wsgi:application", *bind]


def developed_site(address: Address) -> list[str]:
    """The site on Django's own server, which starts anew when a file changes."""
    return manage("runserver", str(address))


def worker(*, pool: str = "prefork", concurrency: int = 2) -> list[str]:
    """One worker for all queues.

    A machine of one's own has few servers, so none needs to be kept apart as in
    `compose.yaml`.
    """
    return [
        *_celery("worker"),
        "--pool",
        pool,
        "--concurrency",
        str(concurrency),
        # They are for seeing other workers; nothing here asks.
        "--without-gossip",
        "--without-mingle",
    ]


def beat(directory: Path) -> list[str]:
    """Beat; what it remembers of its schedule is kept in the directory."""
    schedule = str(directory / "beat-schedule")
    return [*_celery("beat"), "--schedule", schedule, "--pidfile", ""]


def _celery(program: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "celery",
        "--quiet",
        "--app",
        "config.celery_app",
        program,
    ]
