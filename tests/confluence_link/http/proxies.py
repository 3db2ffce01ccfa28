"""A real CONNECT proxy on the loopback address."""

from __future__ import annotations

import base64
import select
import socket
from contextlib import suppress

from tests.confluence_link.http.servers import Handler, Peer

OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"


def tunnelling(port: int, *, credentials: str = "", opened: bytes = OPEN) -> Handler:
    """Leads every name to this port of the machine, for those who know the word."""

    def handle(peer: Peer) -> None:
        head = peer.read_request().decode("latin-1")
        basic = base64.b64encode(credentials.encode()).decode()
        if credentials and f"\r\nProxy-Authorization: Basic {basic}\r\n" not in head:
            peer.send(b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", port)) as target:
            peer.send(opened)
            _carry(peer.connection, target)

    return handle


def _carry(client: socket.socket, target: socket.socket) -> None:
    """In one thread: OpenSSL lets no two threads use one connection."""
    other = {client: target, target: client}
    with suppress(OSError):
        while True:
            for source in select.select([client, target], [], [])[0]:
                # A record fits into this, so none waits where select cannot see it.
                piece = source.recv(65536)
                if not piece:
                    return
                other[source].sendall(piece)
