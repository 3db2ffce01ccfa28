from __future__ import annotations

import pickle
import queue
import threading
import time

import aiohttp
import pytest
import trustme

from confluence_link.errors import TransportError
from confluence_link.http import Answer, Deadline, Multiplex, Post, multiplex
from tests.confluence_link.http.conftest import bundle_of, server_context
from tests.confluence_link.http.servers import OK, answering, body, keeping_alive

SECRET = b'{"refresh_token": "CNRY-secret"}'


def post(url, *, seconds=5, max_bytes=65536):
    return Post(
        url=url,
        body=SECRET,
        content_type="application/json",
        deadline=Deadline(seconds),
        max_bytes=max_bytes,
    )


def outcomes(client, *posts):
    """In the order of the posts."""
    done = queue.SimpleQueue()
    client.send(posts, done=lambda place, outcome: done.put((place, outcome)))
    found = dict(done.get(timeout=10) for _ in posts)
    return [found[place] for place in range(len(posts))]


def failure(client, url, **limits):
    (error,) = outcomes(client, post(url, **limits))
    assert isinstance(error, TransportError)
    return error.reason, error.sent


@pytest.fixture
def make_client(serve):
    """Its connections end before those who serve them."""
    made = []

    def make(**options):
        made.append(Multiplex(**options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def client(make_client):
    return make_client()


def test_an_answer_comes_whole(client, serve):
    server = serve(answering(body(b"{}", "Retry-After: 7", status="429 Busy")))

    (answer,) = outcomes(client, post(server.url()))

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.retry_after_seconds) == (429, b"{}", 7)


def test_a_request_is_what_was_given_and_little_else(client, serve):
    server = serve(answering(OK))

    outcomes(client, post(server.url(path="/token")))

    (request,) = server.requests
    assert request.startswith(b"POST /token HTTP/1.1\r\n")
    assert request.endswith(SECRET)
    head = request.lower()
    assert b"accept-encoding: identity" in head
    assert b"user-agent: confluence-link/" in head
    assert b"cookie" not in head


def test_connections_are_kept_from_exchange_to_exchange(client, serve):
    server = serve(keeping_alive())

    for _ in range(3):
        outcomes(client, post(server.url()))

    assert server.connections == 1


def test_many_are_under_way_at_once(serve, make_client):
    met = threading.Barrier(8)

    def wait_for_the_others(peer):
        peer.read_request()
        met.wait(timeout=5)
        peer.send(OK)

    server = serve(wait_for_the_others)
    answers = outcomes(make_client(at_once=8), *[post(server.url())] * 8)

    assert [answer.status for answer in answers] == [200] * 8


def test_no_more_are_under_way_than_allowed(serve, make_client):
    server = serve(keeping_alive())

    outcomes(make_client(at_once=2), *[post(server.url())] * 20)

    assert server.connections <= 2


def test_a_slow_one_does_not_delay_the_others(client, serve):
    hanging = serve(lambda peer: (peer.read_request(), peer.drip(b"")))
    quick = serve(keeping_alive())

    posts = [post(hanging.url(), seconds=0.5), *[post(quick.url())] * 3]
    done = queue.SimpleQueue()
    client.send(posts, done=lambda place, outcome: done.put(place))

    assert {done.get(timeout=5) for _ in range(3)} == {1, 2, 3}
    assert done.get(timeout=5) == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_l25_a_redirect_is_an_answer_and_not_followed(client, serve, status):
    elsewhere = serve(answering(OK))
    location = f"Location: {elsewhere.url()}"
    server = serve(answering(body(b"", location, status=f"{status} Away")))

    (answer,) = outcomes(client, post(server.url()))

    assert answer.status == status
    assert elsewhere.connections == 0


def test_cookies_are_not_kept(client, serve):
    server = serve(keeping_alive(body(b"ok", "Set-Cookie: a=b")))

    outcomes(client, post(server.url()))
    outcomes(client, post(server.url()))

    assert b"a=b" not in server.requests[1]


def test_the_environment_has_no_say(serve, make_client, monkeypatch):
    server = serve(answering(OK))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    (answer,) = outcomes(make_client(), post(server.url()))

    assert answer.status == 200


# No answer
# ------------------------------------------------------------------------------
def test_whoever_does_not_listen_was_sent_nothing(client):
    assert failure(client, "http://127.0.0.1:1/") == ("connect", False)


def test_a_name_that_nobody_knows_was_sent_nothing(client):
    reason, sent = failure(client, "http://nobody.invalid/")

    assert reason in {"dns", "connect"}
    assert not sent


def test_s14_tls_is_verified_by_name_and_by_authority(serve, authority, make_client):
    tls = server_context(authority.issue_cert("localhost"))
    server = serve(keeping_alive(), tls)
    trusting = make_client(ca_bundle=bundle_of(authority))

    assert outcomes(trusting, post(server.url("localhost")))[0].status == 200
    assert failure(trusting, server.url("127.0.0.1")) == ("tls", False)
    assert failure(make_client(), server.url("localhost")) == ("tls", False)


def test_a_connection_that_ends_without_an_answer_may_have_carried_it(client, serve):
    server = serve(lambda peer: peer.read_request())

    assert failure(client, server.url()) == ("reset", True)
    assert len(server.requests) == 1


def test_what_was_sent_is_not_sent_again_on_another_connection(client, serve):
    server = serve(answering(OK))
    outcomes(client, post(server.url()))
    server.ended.acquire(timeout=5)

    outcomes(client, post(server.url()))

    # The first answer, and the second request once at most.
    assert len(server.requests) <= 2


def test_half_an_answer_is_none(client, serve):
    server = serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))

    assert failure(client, server.url()) == ("reset", True)


def test_h03_an_answer_byte_by_byte_ends_at_the_deadline(client, serve):
    def drip(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        peer.drip(b"x")

    assert failure(client, serve(drip).url(), seconds=0.3) == ("timeout", True)


def test_what_was_to_begin_while_the_process_stood_still_is_told_as_not_sent(
    client, serve, monkeypatch
):
    """Its time was over before its first step, so it never had one."""
    begin = client._begin

    def stand_still(waiting, done):
        begin(waiting, done)
        time.sleep(0.2)

    monkeypatch.setattr(client, "_begin", stand_still)
    server = serve(keeping_alive())

    assert failure(client, server.url(), seconds=0.1) == ("timeout", False)
    assert server.requests == []


def test_h01_an_endless_body_is_cut(client, serve):
    def pour(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        peer.drip(b"x" * 4096, seconds=0)

    assert failure(client, serve(pour).url()) == ("too_large", True)


@pytest.mark.parametrize(
    "answer",
    [
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
    ],
)
def test_h04_a_head_that_is_not_well_formed_is_no_answer(client, serve, answer):
    assert failure(client, serve(answering(answer)).url()) == ("malformed", True)


def test_h02_an_encoded_body_is_refused(client, serve):
    server = serve(answering(body(b"x", "Content-Encoding: gzip")))

    assert failure(client, server.url()) == ("encoded", True)


def test_nothing_begins_after_the_deadline(client, serve):
    server = serve(keeping_alive())

    assert failure(client, server.url(), seconds=0) == ("timeout", False)
    assert server.requests == []


def test_whoever_waits_hears_of_what_was_cut_off(serve):
    begun = threading.Event()

    def hang(peer):
        peer.read_request()
        begun.set()
        peer.drip(b"")

    ending, done = Multiplex(), queue.SimpleQueue()
    request = post(serve(hang).url())
    ending.send([request], done=lambda place, outcome: done.put(outcome))
    begun.wait(timeout=5)
    ending.close()

    error = done.get(timeout=5)
    assert (error.reason, error.sent) == ("reset", True)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_could_not_begin_is_not_kept(monkeypatch):
    roots = bundle_of(trustme.CA())

    def full(**options):
        raise OSError("Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(aiohttp, "TCPConnector", full)
        with pytest.raises(TransportError) as raised:
            multiplex(roots)

    assert (raised.value.reason, raised.value.sent) == ("connect", False)
    multiplex(roots).close()


# Secrets
# ------------------------------------------------------------------------------
def test_a_request_shows_and_gives_away_nothing():
    request = post("https://auth.example.com/token")

    assert "CNRY" not in repr(request)
    with pytest.raises(TypeError):
        pickle.dumps(request)


def test_a_process_has_one_for_the_same_roots():
    other = bundle_of(trustme.CA())

    assert multiplex() is multiplex()
    assert multiplex(other) is not multiplex()
