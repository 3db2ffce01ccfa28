"""What processes cost: their CPU, that of children that ended included, and memory.

Reference: proc_pid_stat(5). The kernel adds the times of a child that was waited for
to those of its parent, so a whole family is the sum over those who live. PostgreSQL's
and Celery's parents wait for every child of theirs.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEMORY_EVERY_SECONDS: Final = 1.0
MIB: Final = 1024 * 1024


def cpu_seconds(families: Mapping[str, int]) -> dict[str, float]:
    """User and system time of each family so far; `families` are parents by name."""
    return {name: family_cpu_seconds(pid) for name, pid in families.items()}


def family_cpu_seconds(pid: int) -> float:
    """Of a process, what it started, and what ended of that."""
    while True:
        family = _family(pid)
        total = 0.0
        with suppress(psutil.NoSuchProcess):
            total = sum(sum(member.cpu_times()[:4]) for member in family)
            # Who ended meanwhile might be missing, or counted twice.
            if _family(pid) == family:
                return total


def process_cpu_seconds(pid: int) -> float:
    """Of one thread of control, to the nanosecond; what it started does not count.

    Reference: https://docs.kernel.org/scheduler/sched-stats.html
    """
    nanoseconds = Path(f"/proc/{pid}/schedstat").read_text().split()[0]
    return int(nanoseconds) / 1e9


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


class PeakMemory:
    """`mib` is the highest sum of all families' PSS that was seen.

    PSS shares out what processes have in common, such as PostgreSQL's buffers, so the
    sum counts every page once.
    """

    def __init__(self, families: Mapping[str, int]) -> None:
        self._families = families
        self._over = threading.Event()
        self.mib = 0.0

    def watch(self) -> None:
        while True:
            self.mib = max(self.mib, self._now())
            if self._over.wait(MEMORY_EVERY_SECONDS):
                return

    def end(self) -> None:
        self._over.set()

    def _now(self) -> float:
        total = 0
        for pid in self._families.values():
            for member in _family(pid):
                with suppress(psutil.NoSuchProcess):
                    total += member.memory_full_info().pss
        return total / MIB


@contextmanager
def peak_memory(families: Mapping[str, int]) -> Iterator[PeakMemory]:
    """Watches from a thread of ours, which costs those who are watched nothing."""
    watched = PeakMemory(families)
    thread = threading.Thread(target=watched.watch, name="peak-memory")
    thread.start()
    try:
        yield watched
    finally:
        watched.end()
        thread.join()
