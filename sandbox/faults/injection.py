"""Keeps the faults of one part and applies them in front of its application."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from sandbox.faults.fault import Exchange, Fault
from sandbox.faults.presets import PRESETS
from sandbox.statistics import Statistics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PLACES = ("authorize", "token", "me", "sites", "report", "api", "probe")


class Faults:
    """A fault stands at a place; the oldest one there is met first."""

    def __init__(self, statistics: Statistics) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, list[Fault]] = {}
        self.statistics = statistics
        self.stopping = threading.Event()
        self.released = threading.Event()

    def add(self, place: str, preset: str, **options: Any) -> Fault:
        if place not in PLACES:
            raise ValueError(f"no such place: {place}")
        if preset not in PRESETS:
            raise ValueError(f"no such fault: {preset}")
        unknown = options.keys() - {known.name for known in fields(Fault)}
        if unknown:
            raise ValueError(f"no such options: {sorted(unknown)}")
        fault = Fault(preset, **options)
        with self._lock:
            self._faults.setdefault(place, []).append(fault)
        return fault

    def clear(self, place: str | None = None) -> None:
        with self._lock:
            if place is None:
                self._faults.clear()
            else:
                self._faults.pop(place, None)

    def release(self) -> None:
        """All that is held goes on; what comes later is held again."""
        with self._lock:
            released, self.released = self.released, threading.Event()
        released.set()

    def reset(self) -> None:
        self.clear()
        self.release()

    def snapshot(self) -> list[dict[str, object]]:
        with self._lock:
            return [
                {"place": place, **asdict(fault)}
                for place, faults in self._faults.items()
                for fault in faults
            ]

    def take(self, place: str) -> Fault | None:
        with self._lock:
            faults = self._faults.get(place, [])
            if not faults:
                return None
            fault = faults[0]
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    faults.pop(0)
            return fault


class FaultInjection:
    """WSGI middleware; counts each request of a known place on arrival."""

    def __init__(
        self,
        application: WSGIApplication,
        faults: Faults,
        place: Callable[[str], str | None],
    ) -> None:
        self.application = application
        self.faults = faults
        self.place = place

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        place = self.place(environ.get("PATH_INFO", ""))
        if place:
            self.faults.statistics.count(f"request.{place}")
        fault = self.faults.take(place) if place else None
        if not fault:
            return self.application(environ, start_response)
        self.faults.statistics.count(f"fault.{place}.{fault.preset}")
        response = PRESETS[fault.preset](fault, self._exchange(environ))
        return response(environ, start_response)

    def _exchange(self, environ: WSGIEnvironment) -> Exchange:
        return Exchange(
            process=lambda: Response.from_app(self.application, environ, True),
            drop=lambda: drop_connection(Request(environ)),
            stopping=self.faults.stopping,
            released=self.faults.released,
        )


def drop_connection(request: Request) -> Response:
    """Shut the socket; the answer that the server still writes goes nowhere."""
    connection: socket.socket = request.environ["sandbox.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500, headers={"Connection": "close"})
