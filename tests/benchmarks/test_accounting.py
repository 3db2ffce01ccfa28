from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.accounting import (
    family_cpu_seconds,
    peak_memory,
    process_cpu_seconds,
)

# Uses so much CPU in a child that ends, and then waits to be told to end itself.
PARENT = """
import subprocess, sys
busy = "import time\\nwhile time.process_time() < {seconds}: pass"
subprocess.run([sys.executable, "-c", busy], check=True)
print("done", flush=True)
sys.stdin.read()
"""


def parent(seconds):
    return subprocess.Popen(
        [sys.executable, "-c", PARENT.format(seconds=seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_child_that_ended_is_counted():
    with parent(seconds=0.3) as process:
        assert process.stdout.readline() == "done\n"

        assert family_cpu_seconds(process.pid) >= 0.25
        assert process_cpu_seconds(process.pid) < 0.25


def test_a_child_that_lives_is_counted():
    with parent(seconds=0.3) as process:
        process.stdout.readline()

        assert family_cpu_seconds(os.getpid()) >= (
            family_cpu_seconds(process.pid) + process_cpu_seconds(os.getpid())
        )


def test_peak_memory_is_that_of_the_whole_family():
    with parent(seconds=0) as process:
        process.stdout.readline()
        with peak_memory({"one": process.pid}) as one:
            pass
        with peak_memory({"one": process.pid, "us": os.getpid()}) as both:
            pass

    assert 0 < one.mib < both.mib
