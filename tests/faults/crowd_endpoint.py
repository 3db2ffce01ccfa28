"""`python -m tests.faults.crowd_endpoint`: Cloud's token endpoint for a crowd.

The sandbox keeps families and every token, which is too much for a hundred thousand
grants. This one reads from a token whose it is and of which generation, so it sees
each that is sent twice or too late, and notes when it was asked. It prints its URL.

    POST /oauth/token   the exchange
    POST /fail          {"status": 503}: nobody is answered but so; 0 ends it
    POST /reset         forgets what it noted, not the generations
    POST /noted         what it noted since: see `Noted`
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from config.env import BASE_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator

# As long as one of Cloud's, or nearly.
FILLING = "x" * 200


def token(kind: str, grant: int, generation: int) -> str:
    """`kind` is `a` or `r`; a canary, as all tokens of tests."""
    return f"CNRY.{kind}.{grant}.{generation}.{FILLING}"


@dataclass
class Noted:
    """Times are seconds of one clock. `order` are the grants, as they were exchanged.

    `wrong` are tokens that were exchanged before, or that nobody has given.
    """

    refused_at: list[float] = field(default_factory=list)
    exchanged_at: list[float] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    wrong: int = 0


class Endpoint:
    def __init__(self) -> None:
        self.noted = Noted()
        self._failing = 0
        self._generations: dict[int, int] = {}

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path == "/oauth/token":
            return self._exchange(body["refresh_token"])
        if path == "/fail":
            self._failing = body["status"]
        if path == "/reset":
            self.noted = Noted()
        return 200, asdict(self.noted) if path == "/noted" else {}

    def _exchange(self, sent: str) -> tuple[int, Any]:
        now = time.monotonic()
        if self._failing:
            self.noted.refused_at.append(now)
            return self._failing, {}
        grant, generation = map(int, sent.split(".")[2:4])
        # A grant that was never seen begins with the token that it shows.
        if generation != self._generations.setdefault(grant, generation):
            self.noted.wrong += 1
            return 403, {"error": "invalid_grant"}
        self._generations[grant] = generation + 1
        self.noted.exchanged_at.append(now)
        self.noted.order.append(grant)
        return 200, {
            "access_token": token("a", grant, generation + 1),
            "refresh_token": token("r", grant, generation + 1),
            "expires_in": 3600,
            "token_type": "Bearer",
        }


class Connection(asyncio.Protocol):
    """HTTP/1.1, kept alive: what our client sends, one request after the other."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint, self._received = endpoint, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if not blank or len(body) < int(length or 0):
            return
        self._received = b""
        path = head.split(b" ", 2)[1].decode()
        status, answer = self._endpoint.answer(path, json.loads(body or b"{}"))
        content = json.dumps(answer).encode()
        self._transport.write(
            f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )


async def serve() -> None:
    endpoint = Endpoint()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(endpoint), "127.0.0.1", 0, backlog=512
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


# --- in a test ----------------------------------------------------------------------


@dataclass
class CrowdEndpoint:
    url: str

    def fail(self, status: int) -> None:
        self._ask("/fail", {"status": status})

    def reset(self) -> None:
        self._ask("/reset", {})

    def noted(self) -> Noted:
        return Noted(**self._ask("/noted", {}))

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(self.url + path, json=body, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def crowd_endpoint() -> Iterator[CrowdEndpoint]:
    """Listens until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.crowd_endpoint"],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield CrowdEndpoint(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(serve())
