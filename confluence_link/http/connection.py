"""Connections that go to checked addresses only, and end at the deadline.

urllib3 is subclassed where it would look names up, trust a head that is not
well-formed, or send the first byte.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from requests import Response
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from confluence_link.errors import TransportError
from confluence_link.http.addresses import Address, read_address
from confluence_link.http.deadline import Cutoff, Deadline
from confluence_link.http.guard import Guard
from confluence_link.http.strict_head import StrictHead
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


def _dial(host: str, port: int) -> socket.socket:
    exchange = current.get()
    addresses = _addresses(host, port, exchange)
    for address in addresses:
        exchange.guard.check_address(host, port, address)
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


class _Plain(HTTPConnection):
    """A connection that only goes where the guard lets it."""

    response_class = StrictHead

    def _new_conn(self) -> socket.socket:
        return _dial(self.host, self.port)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange = current.get()
        if not exchange.sent:
            # A kept connection was opened under an earlier request's deadline.
            exchange.cutoff.watch(self.sock)
            exchange.sent = True
        super().send(data)


class _Encrypted(_Plain, HTTPSConnection):
    """The same over TLS, with the name in SNI and looked for in the certificate."""

    def connect(self) -> None:
        try:
            super().connect()
        except OSError:
            reason = current.get().reason("tls")
            raise TransportError(reason, sent=False) from None


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _Encrypted


class GuardedAdapter(HTTPAdapter):
    """The transport of requests, over the connections above.

    It is used without a `requests.Session`: what follows redirects, keeps cookies
    and reads proxies, netrc and certificate paths from the environment is there.
    """

    def __init__(self, ca_bundle: str) -> None:
        self._tls = tls_context(ca_bundle)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _PlainPool,
            "https": _EncryptedPool,
        }

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: requests would add the public roots to the context's own."""

    def build_response(self, req: Any, resp: Any) -> Response:
        """What `send` needs; requests would read and keep cookies here."""
        response = Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        return response


def check_ca_bundle(pem: str) -> None:
    """Raises TransportError("tls") unless `pem` holds readable certificates."""
    if pem:
        tls_context(pem)


@lru_cache(maxsize=64)
def tls_context(ca_bundle: str) -> ssl.SSLContext:
    """Verifies always; trusts `ca_bundle` (PEM) or else the public roots alone."""
    try:
        context = ssl.create_default_context(
            # Named, because the default would let SSL_CERT_FILE choose.
            cafile=None if ca_bundle else DEFAULT_CA_BUNDLE_PATH,
            cadata=ca_bundle or None,
        )
    except (ssl.SSLError, TypeError, ValueError):
        raise TransportError("tls", sent=False) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
