"""What comes back is bounded, plain and whole, or it is an error (H01, H02)."""

from __future__ import annotations

import tracemalloc

import pytest

from tests.confluence_link.http.servers import answering, body


def test_h01_an_endless_body_ends_at_the_cap(serve, refusal):
    def endless(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while not peer.server.stopping.is_set():
            peer.send(b"x" * 65536)

    server = serve(endless)
    tracemalloc.start()
    try:
        assert refusal(server.url(), max_bytes=100_000) == ("too_large", True)
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_h01_a_body_as_large_as_the_cap_is_fine(serve, send):
    server = serve(answering(body(b"x" * 100)))

    assert len(send(server.url(), max_bytes=100).body) == 100


def test_h01_a_body_one_byte_larger_is_not(serve, refusal):
    server = serve(answering(body(b"x" * 101)))

    assert refusal(server.url(), max_bytes=100) == ("too_large", True)


def test_h01_an_endless_chunk_size_is_malformed(serve, refusal):
    def endless(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not peer.server.stopping.is_set():
            peer.send(b"1" * 65536)

    assert refusal(serve(endless).url())[1] is True


def test_chunks_are_put_together(serve, send):
    chunks = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n"
    )
    server = serve(answering(chunks + b"0\r\n\r\n"))

    assert send(server.url()).body == b"abc"


def test_the_answer_to_head_has_no_body(serve, send):
    server = serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"))

    assert send(server.url(), method="HEAD").body == b""


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "gzip, gzip", "deflate"])
def test_h02_an_encoded_body_is_refused(serve, refusal, coding):
    server = serve(answering(body(b"bomb", f"Content-Encoding: {coding}")))

    assert refusal(server.url()) == ("encoded", True)


def test_h02_an_encoded_body_of_a_redirect_is_refused_unread(serve, refusal):
    answer = body(b"", "Content-Encoding: gzip", "Location: /x", status="302 Go")

    assert refusal(serve(answering(answer)).url()) == ("encoded", True)


def test_an_encoding_that_changes_nothing_is_fine(serve, send):
    server = serve(answering(body(b"ok", "Content-Encoding: Identity")))

    assert send(server.url()).body == b"ok"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/1.1 200 OK\r\nX: 1\r\n",
        b"",
    ],
)
def test_half_an_answer_is_none(serve, refusal, answer):
    assert refusal(serve(answering(answer)).url()) == ("reset", True)
