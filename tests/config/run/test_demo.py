"""The demo as a stranger starts it, on other ports and with data of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from config.env import BASE_DIR
from config.run import ports

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]


@pytest.fixture
def environment(tmp_path):
    """What a new machine has, and where this demo may be."""
    names = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_CONFIG")
    return {name: os.environ[name] for name in names if name in os.environ} | {
        "DEMO_DIRECTORY": str(tmp_path / "demo"),
        "PUBLIC_URL": f"http://localhost:{ports.free_port()}",
        "SANDBOX_CLOUD_PORT": str(ports.free_port()),
        "SANDBOX_DATA_CENTER_PORT": str(ports.free_port()),
        "SANDBOX_SMTP_PORT": str(ports.free_port()),
    }


@contextmanager
def started(environment):
    with subprocess.Popen(
        [sys.executable, "-m", "config.run.demo"],
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        try:
            yield demo
        finally:
            # Only where the test failed before it ended the demo itself.
            demo.terminate()


def read_until(text, lines):
    seen = ""
    for line in lines:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"never said {text!r}:\n{seen}")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_everything_answers_and_everything_ends(environment, end):
    with started(environment) as demo:
        said = read_until("Ctrl-C ends everything", demo.stdout)
        family = psutil.Process(demo.pid).children(recursive=True)

        demo.send_signal(end)
        rest = demo.stdout.read()

    assert environment["PUBLIC_URL"] in said
    assert "admin@example.com" in said
    assert len(family) >= 7
    assert psutil.wait_procs(family, timeout=5)[1] == []
    assert demo.returncode == 0, rest


def test_a_second_run_has_the_same_password(environment):
    passwords = []
    for _ in range(2):
        with started(environment) as demo:
            said = read_until("Ctrl-C ends everything", demo.stdout)
            demo.terminate()
            demo.stdout.read()
        passwords += re.findall(r"Password +(\S+)", said)

    assert len(passwords) == 2
    assert passwords[0] == passwords[1]


def test_a_taken_port_is_named_with_a_way_out(environment):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with started({**environment, "SANDBOX_CLOUD_PORT": port}) as demo:
            said = demo.stdout.read()

    assert demo.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken" in said
    assert "make demo SANDBOX_CLOUD_PORT=" in said
