"""`python -m benchmarks.token_endpoint`: a fast token endpoint with TLS, on loopback.

Answers the refresh grant as Atlassian does (RFC 6749 sections 5.1 and 6): JSON, a new
refresh token each time, after a delay that can be chosen. It keeps which generation
of each grant is current, and so sees every token that is sent twice. It prints one
line of JSON when it listens: its URL and the certificate of its authority.

    POST /oauth/token   the exchange
    GET  /statistics    what happened since the last reset
    POST /reset         forgets the statistics, not the generations
    POST /latency       {"seconds": 0.15}
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import trustme

from benchmarks import tokens

EXPIRES_IN_SECONDS: Final = 3600
SCOPE: Final = (
    "offline_access read:me read:confluence-user search:confluence"
    " read:space:confluence read:page:confluence write:page:confluence"
)
# What Atlassian says of a refresh token that is not the current one (facts A4).
REFUSAL: Final = {
    "error": "unauthorized_client",
    "error_description": "refresh_token is invalid",
}


@dataclass
class Statistics:
    """`reused` were exchanged before; `unknown` are from the future, or not ours."""

    exchanges: int = 0
    reused: int = 0
    unknown: int = 0
    most_connections: int = 0
    most_at_once: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    # How many in each second since the first exchange.
    per_second: list[int] = field(default_factory=list)

    def count(self) -> None:
        now = time.monotonic()
        self.exchanges += 1
        self.first_at = self.first_at or now
        self.last_at = now
        second = int(now - self.first_at)
        self.per_second += [0] * (second + 1 - len(self.per_second))
        self.per_second[second] += 1


class Endpoint:
    """The other side: who has which generation, and what was asked."""

    def __init__(self, latency_seconds: float) -> None:
        self.latency_seconds = latency_seconds
        self.statistics = Statistics()
        self.connections = self.under_way = 0
        self._generations: dict[str, int] = {}

    def exchange(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Rotates. A grant that was never seen begins with the token that it shows."""
        named = tokens.read(str(json.loads(body).get("refresh_token", "")))
        if named is None:
            self.statistics.unknown += 1
            return 403, REFUSAL
        current = self._generations.get(named.subject, named.generation)
        if named.generation != current:
            is_old = named.generation < current
            self.statistics.reused += is_old
            self.statistics.unknown += not is_old
            return 403, REFUSAL
        self._generations[named.subject] = current + 1
        self.statistics.count()
        return 200, _token_set(named.subject, current + 1)

    def control(self, path: str, body: bytes) -> dict[str, Any]:
        if path == "/latency":
            self.latency_seconds = float(json.loads(body)["seconds"])
        if path == "/reset":
            self.statistics = Statistics(
                most_connections=self.connections, most_at_once=self.under_way
            )
        return asdict(self.statistics)


def _token_set(subject: str, generation: int) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token(subject, generation),
        "expires_in": EXPIRES_IN_SECONDS,
        "token_type": "Bearer",
        "refresh_token": tokens.refresh_token(subject, generation),
        "scope": SCOPE,
    }


class Connection(asyncio.Protocol):
    """HTTP/1.1, kept alive: only what the clients of these benchmarks send."""

    _transport: asyncio.Transport

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._endpoint.connections += 1
        statistics = self._endpoint.statistics
        statistics.most_connections = max(
            statistics.most_connections, self._endpoint.connections
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._endpoint.connections -= 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        length = _content_length(head)
        if len(rest) < length:
            return
        # Nobody here sends a request before the answer to the one before.
        self._received = b""
        self._answer(head.split(b" ", 2)[1].decode(), rest[:length])

    def _answer(self, path: str, body: bytes) -> None:
        if path != "/oauth/token":
            self._write(200, self._endpoint.control(path, body))
            return
        status, answer = self._endpoint.exchange(body)
        self._endpoint.under_way += 1
        statistics = self._endpoint.statistics
        statistics.most_at_once = max(statistics.most_at_once, self._endpoint.under_way)
        delay = self._endpoint.latency_seconds
        asyncio.get_running_loop().call_later(delay, self._finish, status, answer)

    def _finish(self, status: int, answer: dict[str, Any]) -> None:
        self._endpoint.under_way -= 1
        self._write(status, answer)

    def _write(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        head = (
            f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n"
            f"Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def serve(endpoint: Endpoint) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(endpoint), "127.0.0.1", 0, ssl=context, backlog=1024
    )
    port = server.sockets[0].getsockname()[1]
    ready = {
        "url": f"https://localhost:{port}",
        "ca_bundle": authority.cert_pem.bytes().decode(),
    }
    print(json.dumps(ready), flush=True)
    await server.serve_forever()


def main() -> None:
    arguments = argparse.ArgumentParser(prog="benchmarks.token_endpoint")
    arguments.add_argument("--latency-ms", type=float, default=0.0)
    asyncio.run(serve(Endpoint(arguments.parse_args().latency_ms / 1000)))


if __name__ == "__main__":
    main()
