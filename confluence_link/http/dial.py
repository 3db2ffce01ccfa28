"""Dialling: one look-up, every address judged, a socket that ends at the deadline."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar

from confluence_link.errors import TransportError
from confluence_link.http.addresses import Address, read_address
from confluence_link.http.deadline import Cutoff, Deadline
from confluence_link.http.guard import Guard
from confluence_link.http.target import BlockedAddress

Resolver = Callable[[str, int], Iterable[str]]

_RESOLVER_SECONDS = 2.0
_MAX_ADDRESSES = 16


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, by the machine's own resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


class Exchange:
    """One request under way: what its connection has to know and to tell."""

    def __init__(
        self, guard: Guard, resolver: Resolver, deadline: Deadline, cutoff: Cutoff
    ) -> None:
        self.guard = guard
        self.resolver = resolver
        self.deadline = deadline
        self.cutoff = cutoff
        # True from just before the first byte of the request.
        self.sent = False

    def reason(self, otherwise: str) -> str:
        """Why there is no answer: the deadline, if it has passed."""
        is_over = self.cutoff.passed or not self.deadline.remaining()
        return "timeout" if is_over else otherwise


# urllib3 makes connections inside its pools and passes nothing of ours along.
current: ContextVar[Exchange] = ContextVar("exchange")


def dial(
    host: str, port: int, exchange: Exchange, check: Callable[[Address], None]
) -> socket.socket:
    """A connection to one of the addresses of `host`, if `check` lets all of them be.

    Raises what `check` raises, and TransportError with `sent=False`.
    """
    addresses = _addresses(host, port, exchange)
    for address in addresses:
        check(address)
    tried = addresses[:_MAX_ADDRESSES]
    for left, address in zip(range(len(tried), 0, -1), tried, strict=True):
        seconds = exchange.deadline.remaining() / left
        if seconds and (connection := _opened(address, port, seconds)):
            exchange.cutoff.watch(connection)
            # Never 0, which would stand for a socket that does not block.
            connection.settimeout(exchange.deadline.remaining() + 0.001)
            return connection
    raise TransportError(exchange.reason("connect"), sent=False)


def _opened(address: Address, port: int, seconds: float) -> socket.socket | None:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect((str(address), port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        connection.close()
        return None
    return connection


def _addresses(host: str, port: int, exchange: Exchange) -> list[Address]:
    literal = read_address(host)
    if literal is not None:
        return [literal]
    # A thread, because getaddrinfo takes no time limit.
    answers: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    threading.Thread(
        target=_look_up, args=(exchange.resolver, host, port, answers), daemon=True
    ).start()
    try:
        texts = answers.get(
            timeout=min(_RESOLVER_SECONDS, exchange.deadline.remaining())
        )
    except queue.Empty:
        texts = []
    if not texts:
        raise TransportError(exchange.reason("dns"), sent=False)
    return [_read(text) for text in dict.fromkeys(texts)]


def _look_up(
    resolver: Resolver, host: str, port: int, answers: queue.SimpleQueue[list[str]]
) -> None:
    try:
        answers.put(list(resolver(host, port)))
    except (OSError, ValueError):
        answers.put([])


def _read(text: str) -> Address:
    address = read_address(text)
    if address is None:
        raise BlockedAddress("address")
    return address
