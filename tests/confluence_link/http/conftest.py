"""What tests of the door share: servers, a session, and answers or errors of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import trustme

from confluence_link.errors import TransportError
from confluence_link.http import Answer, Deadline, GuardedSession, NetworkPolicy
from tests.confluence_link.http.servers import Handler, Server

LOCAL = NetworkPolicy(allow_http=True, allowed=("127.0.0.1",))


def to_loopback(host: str, port: int) -> list[str]:
    """A resolver that knows one address."""
    return ["127.0.0.1"]


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with ExitStack() as stack:

        def start(handler: Handler, tls: ssl.SSLContext | None = None) -> Server:
            return stack.enter_context(Server(handler, tls))

        yield start


@pytest.fixture
def send() -> Iterator[Callable[..., Answer]]:
    """GET through a session of its own, with limits that a test rarely needs."""
    with ExitStack() as stack:

        def start(
            url: str, *, method: str = "GET", policy: NetworkPolicy = LOCAL, **rest: Any
        ) -> Answer:
            resolver = rest.pop("resolver", to_loopback)
            seconds = rest.pop("seconds", 5)
            session = stack.enter_context(GuardedSession(policy, resolver=resolver))
            rest.setdefault("max_bytes", 65536)
            return session.send(method, url, deadline=Deadline(seconds), **rest)

        yield start


@pytest.fixture
def refusal(send: Callable[..., Answer]) -> Callable[..., tuple[str, bool]]:
    """The reason of the error that a request ends with, and whether it left."""

    def start(url: str, **rest: Any) -> tuple[str, bool]:
        with pytest.raises(TransportError) as caught:
            send(url, **rest)
        return caught.value.reason, caught.value.sent

    return start


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def bundle_of(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode("ascii")
