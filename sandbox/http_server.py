"""A threaded HTTP/1.1 server with keep-alive around a WSGI application."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from cheroot import wsgi

from sandbox.faults.injection import Faults

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

# Each hanging or slow fault holds one thread.
THREADS = 48


class Gateway(wsgi.Gateway_10):
    """Hands the socket down, for the faults that drop the connection."""

    def get_environ(self) -> Any:
        untyped: Any = super()
        environ: WSGIEnvironment = untyped.get_environ()
        environ["sandbox.socket"] = self.req.conn.socket
        return environ


class HTTPServer:
    def __init__(
        self, application: WSGIApplication, faults: Faults, *, host: str, port: int
    ) -> None:
        self._faults = faults
        self._server = wsgi.Server(
            (host, port), application, numthreads=THREADS, request_queue_size=128
        )
        self._server.gateway = Gateway
        # How often it looks whether to stop.
        self._server.expiration_interval = 0.02
        self._thread = threading.Thread(target=self._server.serve, daemon=True)

    def start(self) -> int:
        """Listen; the port."""
        self._server.prepare()
        self._thread.start()
        port: int = self._server.bind_addr[1]
        return port

    def stop(self) -> None:
        self._faults.stopping.set()
        self._server.stop()
        self._thread.join()
