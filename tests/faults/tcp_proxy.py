"""A TCP proxy that cuts, refuses or swallows what goes through it."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Closing sends a reset instead of an orderly end.
RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on a port of its own for as long as it is open."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._flowing = threading.Event()
        self._flowing.set()
        self._door: socket.socket | None = None
        self.port = 0
        self.open()

    def open(self) -> None:
        """Everything passes; also what was swallowed until now arrives."""
        self._flowing.set()
        if self._door is None:
            self._door = socket.create_server(("127.0.0.1", self.port), backlog=64)
            self.port = self._door.getsockname()[1]
            threading.Thread(
                target=self._admit, args=(self._door,), daemon=True
            ).start()

    def cut(self) -> None:
        """Every connection is reset; new ones are taken."""
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            _shut(end)

    def refuse(self) -> None:
        """Nobody listens, as while a server restarts."""
        if self._door is not None:
            _shut(self._door)
            self._door = None
        self.cut()

    def swallow(self) -> None:
        """Connections stay and are taken, and no byte arrives: the router is dead."""
        self._flowing.clear()

    def _admit(self, door: socket.socket) -> None:
        while True:
            try:
                near, _ = door.accept()
                far = socket.create_connection(self._target)
            except OSError:
                return
            with self._lock:
                self._ends |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(
                    target=self._pump, args=(one, other), daemon=True
                ).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._flowing.wait()
                target.sendall(data)
        for end in (source, target):
            _shut(end)
            with self._lock:
                self._ends.discard(end)


def _shut(end: socket.socket) -> None:
    # Closing alone does not wake who waits in it.
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxy_before(host: str, port: int) -> Iterator[Proxy]:
    proxy = Proxy((host, port))
    try:
        yield proxy
    finally:
        proxy.open()
        proxy.refuse()
