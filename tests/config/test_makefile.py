from __future__ import annotations

import subprocess

from config.env import BASE_DIR

COMMANDS = {
    "help",
    "demo",
    "run",
    "worker",
    "beat",
    "test",
    "test-faults",
    "check",
    "bench",
    "fmt",
    "requirements",
}


def make(*arguments: str) -> str:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=BASE_DIR,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_help_says_what_each_command_does():
    lines = make("help").splitlines()

    described = {line.split()[1] for line in lines if len(line.split()) > 2}
    assert described == COMMANDS


def test_make_without_a_target_helps():
    assert make() == make("help")


def test_continuous_integration_runs_make_test_and_nothing_else():
    script = BASE_DIR / ".ci" / "run"

    lines = script.read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "make test"]
    assert script.stat().st_mode & 0o111
