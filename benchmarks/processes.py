"""Workers and beat as in production, as processes whose CPU is counted."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from config.env import BASE_DIR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

START_SECONDS: Final = 60
END_SECONDS: Final = 60


def worker(
    *,
    processes: int,
    environment: Mapping[str, str],
    directory: Path,
    app: str = "config.celery_app",
) -> AbstractContextManager[int]:
    """As in the README, with so many children of one parent."""
    return celery(
        *("worker", "--concurrency", str(processes)),
        app=app,
        environment=environment,
        log=directory / "worker.log",
        is_ready=lambda lines: " ready." in lines,
    )


def beat(
    *, environment: Mapping[str, str], directory: Path
) -> AbstractContextManager[int]:
    """As in the README. Its first message comes after a whole interval."""
    # The schedule's file gets an ending that depends on Python's libraries.
    schedules = directory / "beat"
    shutil.rmtree(schedules, ignore_errors=True)
    schedules.mkdir()
    return celery(
        *("beat", "--schedule", str(schedules / "schedule"), "--pidfile", ""),
        environment=environment,
        log=directory / "beat.log",
        is_ready=lambda _: any(schedules.iterdir()),
    )


@contextmanager
def celery(
    *words: str,
    app: str = "config.celery_app",
    environment: Mapping[str, str],
    log: Path,
    is_ready: Callable[[str], bool],
) -> Iterator[int]:
    """A program of Celery until the end of the block; its process id.

    `is_ready` judges what it logged.
    """
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", app, *words],
            cwd=BASE_DIR,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until(is_ready, process, log)
        yield process.pid
    finally:
        _end(process)


def _wait_until(
    is_ready: Callable[[str], bool], process: subprocess.Popen[bytes], log: Path
) -> None:
    give_up = time.monotonic() + START_SECONDS
    while not is_ready(log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"it did not start:\n{log.read_text()}")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
