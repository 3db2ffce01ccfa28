"""Total time: one clock for look-up, connection, handshake, request and answer."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self


class Deadline:
    """A point in time, by the clock that nobody can set."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds, never below 0."""
        return max(0.0, self._end - time.monotonic())


class Cutoff:
    """Shuts the watched socket down when the deadline passes.

    A socket's own timeout starts anew with every byte, so a peer that sends one
    byte at a time would never meet it.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.passed = False
        self._timer = threading.Timer(deadline.remaining(), self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._replace(None)

    def watch(self, connection: socket.socket) -> None:
        """From now on this is the connection to end."""
        # A duplicate, because TLS takes the socket over before its handshake and a
        # closed descriptor's number may already belong to another connection.
        # Shutting the duplicate down ends the connection itself, below TLS.
        self._replace(socket.socket(fileno=os.dup(connection.fileno())))
        if self.passed:
            self._cut()

    def _replace(self, new: socket.socket | None) -> None:
        with self._lock:
            old, self._socket = self._socket, new
            if old is not None:
                old.close()

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
