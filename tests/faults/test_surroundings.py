"""What a refresh does not need is away: room for logs, the mail server (F51).

The list names Sentry, too: nothing here reports to it or to anything like it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager

import pytest

from config.env import BASE_DIR
from config.run import ports, programs
from tests.faults.stage import assert_sound, until
from tests.sandbox_process import PARTS

pytestmark = pytest.mark.processes


@contextmanager
def worker_without_a_log(stage, pool):
    """Whatever it writes fails for want of room, from its start on."""
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(
            [*programs.worker(pool=pool), "--hostname", f"mute-{pool}@%h"],
            cwd=BASE_DIR,
            # As the image has it: Python would keep what it cannot write.
            env={**stage.made.environment, "PYTHONUNBUFFERED": "1"},
            stdout=full,
            stderr=full,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_f51_with_a_full_disk_for_logs_grants_are_refreshed(stage, pool):
    stage.end_workers()
    with worker_without_a_log(stage, pool) as process:
        for generation in (2, 3):
            stage.sweep()
            for part in PARTS:
                stage.until_generation(part, generation)
        stage.until_quiet()
        assert process.poll() is None
    assert_sound(stage)


def test_f51_without_a_mail_server_grants_are_refreshed_and_mails_come_later(stage):
    nobody = f"smtp://127.0.0.1:{ports.free_port()}"
    with stage.worker_with(EMAIL_URL=nobody) as name:
        stage.inside("ask_for_notices")
        until(lambda: "ConnectionRefusedError" in stage.made.log(name))
        stage.sweep()

        for part in PARTS:
            stage.until_generation(part, 2)
        stage.until_quiet()
        assert stage.box.mails() == []
    # A mail that was tried waits for a while.
    stage.inside("move_back", 3600)
    stage.inside("send_notices")
    assert len(stage.box.mails("alice@example.org")) == len(PARTS)
    assert_sound(stage)
