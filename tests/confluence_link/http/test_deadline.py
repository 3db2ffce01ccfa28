"""The total time holds for every phase and against every kind of delay."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from confluence_link.http import Deadline, GuardedSession
from confluence_link.http.deadline import Cutoff
from tests.confluence_link.http.conftest import LOCAL
from tests.confluence_link.http.servers import OK, keeping_alive

SECONDS = 0.4


def test_remaining_seconds_fall_and_stop_at_zero():
    assert 9 < Deadline(10).remaining() <= 10
    assert Deadline(0).remaining() == 0
    assert Deadline(-5).remaining() == 0


def test_a_passed_deadline_opens_no_connection(serve, refusal):
    server = serve(keeping_alive())

    assert refusal(server.url(), seconds=0) == ("timeout", False)
    assert server.connections == 0


def silent(peer):
    peer.read_request()
    peer.server.stopping.wait(10)


def head_drip(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nX: ")
    peer.drip(b"x")


def header_line_drip(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n")
    peer.drip(b"X: y\r\n", 0.03)


def counted_body_drip(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    peer.drip(b"x")


def chunked_body_drip(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(b"1\r\nx\r\n")


def open_body_drip(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    peer.drip(b"x")


def trailer_drip(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    peer.drip(b"X: y\r\n")


def continue_drip(peer):
    peer.read_request()
    peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize(
    "handler",
    [
        silent,
        head_drip,
        header_line_drip,
        counted_body_drip,
        chunked_body_drip,
        open_body_drip,
        trailer_drip,
        continue_drip,
    ],
)
def test_h03_a_slow_answer_ends_at_the_deadline(serve, refusal, handler):
    server = serve(handler)
    start = time.monotonic()

    assert refusal(server.url(), seconds=SECONDS) == ("timeout", True)
    assert SECONDS <= time.monotonic() - start < SECONDS + 1


def test_h03_a_kept_connection_gets_the_deadline_of_each_request(serve):
    def handle(peer):
        peer.read_request()
        peer.send(OK)
        head_drip(peer)

    server = serve(handle)
    with GuardedSession(LOCAL) as session:
        session.send("GET", server.url(), deadline=Deadline(60), max_bytes=9)
        with pytest.raises(Exception, match="timeout") as caught:
            session.send("GET", server.url(), deadline=Deadline(SECONDS), max_bytes=9)

    assert caught.value.sent is True
    assert server.connections == 1


def test_a_deadline_of_an_earlier_request_does_not_end_a_later_one(serve):
    server = serve(keeping_alive())
    with GuardedSession(LOCAL) as session:
        deadline = Deadline(0.2)
        session.send("GET", server.url(), deadline=deadline, max_bytes=9)
        threading.Event().wait(deadline.remaining() + 0.1)
        session.send("GET", server.url(), deadline=Deadline(5), max_bytes=9)

    assert server.connections == 1


def test_a_request_body_that_nobody_reads_ends_at_the_deadline(serve, refusal):
    server = serve(lambda peer: peer.server.stopping.wait(10) and None)

    found = refusal(
        server.url(), method="POST", body=b"x" * 20_000_000, seconds=SECONDS
    )
    assert found == ("timeout", True)


def test_a_socket_that_is_watched_too_late_is_shut_down_at_once():
    ours, theirs = socket.socketpair()
    with ours, theirs, Cutoff(Deadline(0)) as cutoff:
        while not cutoff.passed:
            pass
        cutoff.watch(ours)

        assert theirs.recv(1) == b""


def test_a_socket_that_is_gone_already_is_no_matter():
    with socket.socket() as never_connected, Cutoff(Deadline(0)) as cutoff:
        cutoff.watch(never_connected)
        while not cutoff.passed:
            pass
