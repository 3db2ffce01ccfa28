"""What was ended from outside goes on; what gave up, or was told to end, does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from config.env import BASE_DIR

pytestmark = [pytest.mark.processes, pytest.mark.timeout(60)]

# Says that it is there, and then waits to be ended.
WAITING = "import signal; print('here', flush=True); signal.pause()"


def restarted(program):
    command = [sys.executable, "-c", program]
    return subprocess.Popen(
        [sys.executable, "-m", "config.run.restarted", *command],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_killed_program_is_started_again():
    killed = "import os; print('here', flush=True); os.kill(os.getpid(), 9)"
    with restarted(killed) as runner:
        seen = [runner.stdout.readline() for _ in range(3)]
        runner.send_signal(signal.SIGTERM)
        runner.stdout.read()

    assert seen == ["here\n", "ended from outside, starting again\n", "here\n"]
    assert runner.returncode == 0


def test_a_program_that_gives_up_ends_its_runner():
    with restarted("raise SystemExit(3)") as runner:
        assert runner.stdout.read() == ""

    assert runner.returncode == 3


def test_both_end_when_the_group_is_told_to():
    with restarted(WAITING) as runner:
        runner.stdout.readline()
        os.killpg(runner.pid, signal.SIGTERM)

        assert runner.stdout.read() == ""
    assert runner.returncode == 0
