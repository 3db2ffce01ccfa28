"""Real servers on the loopback address, as friendly or hostile as a test needs."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """One accepted connection."""

    def __init__(self, server: Server, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection

    def read_request(self) -> bytes:
        """One request with its body; b"" when the client is gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.connection.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += self.connection.recv(65536)
        self.server.requests.append(head + b"\r\n\r\n" + body)
        return self.server.requests[-1]

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drip(self, piece: bytes, seconds: float = 0.02) -> None:
        """Sends `piece` again and again until the client or the test ends."""
        while not self.server.stopping.wait(seconds):
            self.send(piece)


Handler = Callable[[Peer], None]


class Server:
    """Gives every connection to the handler, in a thread of its own."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopping = threading.Event()
        # One up for every connection that has ended.
        self.ended = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        # Wakes the accepting thread, which closing alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(timeout=5)

    def url(self, host: str = "127.0.0.1", path: str = "/") -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{host}:{self.port}{path}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,))
                thread.daemon = True
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with suppress(OSError), connection:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self._handler(Peer(self, connection))
        self.ended.release()


def answering(*answers: bytes) -> Handler:
    """One answer per request on the same connection, then the connection ends."""

    def handle(peer: Peer) -> None:
        for answer in answers:
            if peer.read_request():
                peer.send(answer)

    return handle


def keeping_alive(answer: bytes = OK) -> Handler:
    """The same answer for every request until the client leaves."""

    def handle(peer: Peer) -> None:
        while peer.read_request():
            peer.send(answer)

    return handle


def body(data: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A well-formed answer with these lines in its head."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data
