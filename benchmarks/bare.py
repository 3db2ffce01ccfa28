"""Bare loops: the same exchanges by one process that stores nothing.

`python -m benchmarks.bare client|requests URL CA_FILE SUBJECT EXCHANGES` prints JSON:
seconds and CPU seconds. Each is as a careful user would write it: one pool of
connections that are kept alive, a hundred exchanges at once, TLS verified, the body
read as JSON. What comes first warms it up, and is not counted.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import aiohttp
import requests
from requests.adapters import HTTPAdapter

from benchmarks import tokens
from config.env import BASE_DIR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from benchmarks.bench import Bench

AT_ONCE: Final = 100
WARM_UP: Final = 500
TIMEOUT_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Bare:
    """One process, without what it cost to start."""

    exchanges: int
    rate: float
    cpu_ms: float


def measure(
    bench: Bench,
    kind: Literal["client", "requests"],
    *,
    exchanges: int,
    latency_seconds: float,
    run: int,
) -> Bare:
    bench.endpoint.set_latency(latency_seconds)
    there = (bench.endpoint.token_url, str(bench.endpoint.ca_file))
    what = (f"{kind}{run}", str(exchanges))
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.bare", kind, *there, *what],
        cwd=BASE_DIR,
        # Requests obeys variables that name other roots.
        env=bench.environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    found = json.loads(told.stdout)
    return Bare(
        exchanges=exchanges,
        rate=exchanges / found["seconds"],
        cpu_ms=1000 * found["cpu_seconds"] / exchanges,
    )


# In the process that is measured
# ------------------------------------------------------------------------------
def _body(subject: str, number: int) -> Mapping[str, str]:
    return {
        "grant_type": "refresh_token",
        "client_id": "bench-client",
        "client_secret": "bench-secret",
        "refresh_token": tokens.refresh_token(f"{subject}-{number}", 1),
    }


class Clock:
    """Time and CPU of this process, all its threads included, since it was made."""

    def __init__(self) -> None:
        self._seconds, self._cpu = time.perf_counter(), time.process_time()

    def tell(self) -> None:
        seconds = time.perf_counter() - self._seconds
        cpu_seconds = time.process_time() - self._cpu
        print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds}))


async def run_client(url: str, ca_file: str, subject: str, exchanges: int) -> None:
    connector = aiohttp.TCPConnector(
        limit=AT_ONCE, ssl=ssl.create_default_context(cafile=ca_file)
    )
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        await _all(session, url, subject, range(WARM_UP))
        clock = Clock()
        await _all(session, url, subject, range(WARM_UP, WARM_UP + exchanges))
        clock.tell()


async def _all(
    session: aiohttp.ClientSession, url: str, subject: str, numbers: Iterable[int]
) -> None:
    waiting = iter(numbers)

    async def one_after_the_other() -> None:
        for number in waiting:
            async with session.post(url, json=_body(subject, number)) as response:
                response.raise_for_status()
                await response.json()

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


def run_requests(url: str, ca_file: str, subject: str, exchanges: int) -> None:
    with requests.Session() as session, ThreadPoolExecutor(AT_ONCE) as pool:
        session.mount("https://", HTTPAdapter(pool_maxsize=AT_ONCE))
        session.verify = ca_file
        exchange = partial(_exchange, session, url, subject)
        list(pool.map(exchange, range(WARM_UP)))
        clock = Clock()
        list(pool.map(exchange, range(WARM_UP, WARM_UP + exchanges)))
        clock.tell()


def _exchange(
    session: requests.Session, url: str, subject: str, number: int
) -> dict[str, str]:
    response = session.post(url, json=_body(subject, number), timeout=TIMEOUT_SECONDS)
    response.raise_for_status()
    answer: dict[str, str] = response.json()
    return answer


def main(kind: str, url: str, ca_file: str, subject: str, exchanges: str) -> None:
    if kind == "client":
        asyncio.run(run_client(url, ca_file, subject, int(exchanges)))
    else:
        run_requests(url, ca_file, subject, int(exchanges))


if __name__ == "__main__":
    main(*sys.argv[1:])
