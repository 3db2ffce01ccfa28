"""A loopback server that answers what a test says, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Reply:
    """`body` is sent as it is if it is bytes, else as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        return (
            self.body
            if isinstance(self.body, bytes)
            else json.dumps(self.body).encode()
        )


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *connection: object) -> None:
        """A client that stops reading is what some tests are about."""


class Wire:
    """Replies are given per path in their order; the last one of a path stays."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        # The reply at every path that has none.
        self.otherwise: Reply | None = None
        self._replies: dict[str, list[Reply]] = defaultdict(list)
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(
        self, path: str, body: Any = None, status: int = 200, **headers: str
    ) -> None:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self._replies[path].append(Reply(status, body, names))

    def __enter__(self) -> Wire:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        replies = self._replies[asked.path]
        if not replies:
            nothing = Reply(404, {"message": f"nothing at {asked.path}"})
            return self.otherwise or nothing
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(
                    method=self.command,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                    headers=dict(self.headers),
                    json=json.loads(sent) if sent else None,
                )
                self._send(wire._reply(asked))

            do_POST = do_GET

            def _send(self, reply: Reply) -> None:
                content = reply.content()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        return Handler
