"""The token endpoint as a process of its own, and what it tells afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from config.env import BASE_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Answered:
    """What the endpoint saw since it was last asked to forget."""

    exchanges: int
    reused: int
    unknown: int
    most_connections: int
    most_at_once: int
    # Between the first exchange and the last.
    seconds: float
    per_second: tuple[int, ...]

    @property
    def rate(self) -> float:
        """Exchanges per second."""
        return self.exchanges / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class EndpointProcess:
    """Where it listens. `ca_file` is the certificate of its authority, as PEM."""

    url: str
    ca_file: Path

    @property
    def token_url(self) -> str:
        return f"{self.url}/oauth/token"

    @property
    def ca_bundle(self) -> str:
        return self.ca_file.read_text()

    def set_latency(self, seconds: float) -> None:
        self._ask("/latency", {"seconds": seconds})

    def reset(self) -> None:
        self._ask("/reset", {})

    def answered(self) -> Answered:
        told = self._ask("/statistics", {})
        return Answered(
            exchanges=told["exchanges"],
            reused=told["reused"],
            unknown=told["unknown"],
            most_connections=told["most_connections"],
            most_at_once=told["most_at_once"],
            seconds=told["last_at"] - told["first_at"],
            per_second=tuple(told["per_second"]),
        )

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(
            self.url + path, json=body, verify=str(self.ca_file), timeout=10
        )
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told


@contextmanager
def endpoint_process(directory: Path) -> Iterator[EndpointProcess]:
    """Listens until the end of the block; its certificate is in the directory."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.token_endpoint"],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())
        ca_file = directory / "authority.pem"
        ca_file.write_text(ready["ca_bundle"])
        yield EndpointProcess(ready["url"], ca_file)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
