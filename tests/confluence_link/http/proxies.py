"""A real CONNECT proxy on the loopback address."""

from __future__ import annotations

import base64
import socket
import threading
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
            back = threading.Thread(target=_pump, args=(target, peer.connection))
            back.start()
            _pump(peer.connection, target)
            back.join()

    return handle


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    # Wakes the other direction.
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
