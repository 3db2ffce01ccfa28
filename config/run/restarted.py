"""`python -m config.run.restarted COMMAND …`: starts it again when it was ended.

The demo's process manager ends everything when one process ends. A worker may be
killed to see what happens, and what should happen is that another one goes on.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PAUSE_SECONDS = 1


def run(command: Sequence[str]) -> int:
    """Until SIGTERM or SIGINT, which the command gets as well, with its group."""
    told_to_end = False

    def end(*_: object) -> None:
        nonlocal told_to_end
        told_to_end = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while True:
        code = subprocess.Popen(command).wait()
        if told_to_end:
            return 0
        if code > 0:
            # It did not start, or gave up: starting it again would not help.
            return code
        print("ended from outside, starting again", flush=True)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
