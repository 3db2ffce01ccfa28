"""Heads that http.client would accept, and we do not (H04, S16)."""

from __future__ import annotations

import pytest

from confluence_link.errors import TransportError
from confluence_link.http import Deadline, GuardedSession
from tests.confluence_link.http.conftest import LOCAL
from tests.confluence_link.http.servers import answering, body

LENGTH = "Content-Length: 2\r\n"


@pytest.mark.parametrize(
    "head",
    [
        # Two readings of where the body ends.
        f"HTTP/1.1 200 OK\r\n{LENGTH}Transfer-Encoding: chunked\r\n",
        f"HTTP/1.1 200 OK\r\n{LENGTH}{LENGTH}",
        f"HTTP/1.1 200 OK\r\n{LENGTH}Content-Length: 3\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n",
        "HTTP/1.1 200 OK\r\n" + "Transfer-Encoding: chunked\r\n" * 2,
        # Not a header line.
        f"HTTP/1.1 200 OK\r\nno colon\r\n{LENGTH}",
        f"HTTP/1.1 200 OK\r\n continued\r\n{LENGTH}",
        # Not a status line of ours.
        "HTTP/2.0 200 OK\r\n",
        "HTTP/1.1 twohundred OK\r\n",
        "HTTP/1.1 99 Low\r\n",
        "HTTP/1.1\r\n",
        "<html>HTTP/0.9 has no head</html>\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "-ERR unknown command 'GET'\r\n",
        # Interim answers that nobody asked for.
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n",
        "HTTP/1.1 103 Early Hints\r\n",
        # Too much.
        "HTTP/1.1 200 OK\r\n" + "X-A: 1\r\n" * 10_000,
        "HTTP/1.1 200 OK\r\nX-A: " + "1" * 1_048_576 + "\r\n",
        "HTTP/1.1 200 OK\r\n" + ("X-A: " + "1" * 9000 + "\r\n") * 9,
        "HTTP/1.1 " + "2" * 70_000 + "\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
    ],
    ids=lambda head: repr(head[:60]),
)
def test_s16_h04_an_odd_head_is_malformed(serve, refusal, head):
    server = serve(answering(head.encode("latin-1") + b"\r\nok"))

    assert refusal(server.url()) == ("malformed", True)


def test_s16_after_an_odd_head_the_connection_is_not_used_again(serve):
    odd = f"HTTP/1.1 200 OK\r\n{LENGTH}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    server = serve(answering(odd.encode(), body(b"evil")))

    with GuardedSession(LOCAL) as session:
        for _ in range(2):
            with pytest.raises(TransportError, match="malformed"):
                session.send("GET", server.url(), deadline=Deadline(5), max_bytes=9)

    assert server.connections == 2


@pytest.mark.parametrize(
    "head",
    [
        f"HTTP/1.1 200\r\n{LENGTH}",
        f"HTTP/1.0 200 OK\r\n{LENGTH}",
        f"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n{LENGTH}",
        f"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n{LENGTH}",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n",
    ],
)
def test_an_unusual_head_is_fine(serve, send, head):
    server = serve(answering(head.encode() + b"\r\nok"))

    assert send(server.url()).body == b"ok"
