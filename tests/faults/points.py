"""What happens at the failpoints of an installation's processes.

They share a directory. Each arrival at a point is counted there, over all processes; a
file `answered.3` says what is to happen at the third one. So a test can arm a process
that runs, and what it armed happens once.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias

import time_machine

Action: TypeAlias = Literal["kill", "stop", "hold", "clock on", "clock back"]


class Points:
    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        self._armed: dict[str, int] = {}

    # --- in a test ------------------------------------------------------------

    def at(self, name: str, action: Action, *, nth: int = 1) -> None:
        """At the next arrival, or the `nth` from now on, of whichever process."""
        self._armed[name] = self.count(name) + nth
        (self.directory / f"{name}.{self._armed[name]}").write_text(action)

    def is_reached(self, name: str) -> bool:
        """What was armed there last happens now, or has happened."""
        return self.count(name) >= self._armed[name]

    def count(self, name: str) -> int:
        try:
            return (self.directory / name).stat().st_size
        except FileNotFoundError:
            return 0

    def go_on(self, name: str) -> None:
        """Whoever is held there."""
        for place in self.directory.glob(f"{name}.*"):
            place.unlink()

    def release(self) -> None:
        """Everybody who is held goes on, and nothing is armed any more."""
        self.go_on("*")

    # --- in a process ---------------------------------------------------------

    def reach(self, name: str) -> None:
        place = self.directory / f"{name}.{self._counted(name)}"
        try:
            action = place.read_text()
        except FileNotFoundError:
            return
        if action == "hold":
            while place.exists():
                time.sleep(0.02)
        elif action in STEPS:
            set_clock(STEPS[action])
        else:
            os.kill(os.getpid(), SIGNALS[action])
            # Another thread may be the one that is told, and this one run on.
            time.sleep(1)

    def _counted(self, name: str) -> int:
        with (self.directory / name).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(b".")
            file.flush()
            return file.tell()


STEPS = {"clock on": 600.0, "clock back": -600.0}
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def set_clock(ahead_seconds: float) -> None:
    """From now on this process's clock goes wrong by so much, at the right speed."""
    if ahead_seconds:
        wrong = datetime.now(UTC) + timedelta(seconds=ahead_seconds)
        time_machine.travel(wrong, tick=True).start()
