"""Through the app's own proxy: what it gets to know, and what still holds behind it."""

from __future__ import annotations

import base64
import logging
import pickle
import time
from dataclasses import replace

import pytest

from confluence_link.errors import TransportError
from confluence_link.http import (
    Deadline,
    GuardedSession,
    NetworkPolicy,
    Proxy,
)
from tests.confluence_link.http.conftest import bundle_of, server_context
from tests.confluence_link.http.proxies import OPEN, tunnelling
from tests.confluence_link.http.servers import (
    OK,
    answering,
    body,
    keeping_alive,
)

CREDENTIALS = "ours:CNRY:päss"
BASIC = base64.b64encode(CREDENTIALS.encode())


def through(proxy, *, host="127.0.0.1", credentials="", **rest):
    """A policy whose traffic goes through this proxy to any wiki.example."""
    return NetworkPolicy(
        allow_http=True,
        allowed=(f"127.0.0.1:{proxy.port}", "wiki.example"),
        proxy=Proxy(proxy.url(host, path=""), credentials),
        **rest,
    )


@pytest.fixture
def wiki(serve, authority):
    """The server behind the proxy."""
    context = server_context(authority.issue_cert("wiki.example"))
    context.names = []
    context.sni_callback = lambda sock, name, ctx: context.names.append(name)
    server = serve(keeping_alive(), tls=context)
    server.names = context.names
    return server


@pytest.fixture
def proxy(serve, wiki):
    return serve(tunnelling(wiki.port, credentials=CREDENTIALS))


@pytest.fixture
def policy(proxy, authority):
    return through(proxy, credentials=CREDENTIALS, ca_bundle=bundle_of(authority))


# --- what the proxy gets to know ----------------------------------------------


def test_the_proxy_learns_name_and_port_and_nothing_of_the_request(
    wiki, proxy, policy, send
):
    url = wiki.url("wiki.example", "/rest/token?code=CNRY-code")

    answer = send(url, policy=policy, method="POST", form={"secret": "CNRY-body"})

    place = b"wiki.example:%d" % wiki.port
    assert answer.body == b"ok"
    assert proxy.requests == [
        b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n" % (place, place)
        + b"Proxy-Authorization: Basic %s\r\n\r\n" % BASIC
    ]
    assert wiki.names == ["wiki.example"]


def test_the_server_learns_nothing_of_the_proxy(wiki, policy, send):
    headers = {"Authorization": "Bearer x", "Proxy-Authorization": "theirs"}

    send(wiki.url("wiki.example"), policy=policy, headers=headers)

    (request,) = wiki.requests
    assert b"Proxy" not in request
    assert BASIC not in request
    assert b"\r\nAuthorization: Bearer x\r\n" in request


def test_the_proxy_is_looked_up_once_and_the_server_not_at_all(wiki, proxy, policy):
    asked = []
    policy = replace(
        policy,
        allowed=("127.0.0.1", "wiki.example"),
        proxy=Proxy(f"http://proxy.example:{proxy.port}", CREDENTIALS),
    )

    def resolver(host, port):
        asked.append((host, port))
        return ["127.0.0.1"]

    with GuardedSession(policy, resolver=resolver) as session:
        for _ in range(3):
            url = wiki.url("wiki.example")
            session.send("GET", url, deadline=Deadline(5), max_bytes=9)

    assert asked == [("proxy.example", proxy.port)]
    assert (len(wiki.requests), wiki.connections) == (3, 1)


def test_a_proxy_without_credentials_gets_none(serve, send, wiki, authority):
    proxy = serve(tunnelling(wiki.port))
    policy = through(proxy, ca_bundle=bundle_of(authority))

    assert send(wiki.url("wiki.example"), policy=policy).status == 200
    assert b"Authorization" not in proxy.requests[0]


def test_plain_http_goes_through_a_tunnel_too(serve, send):
    plain = serve(keeping_alive())
    proxy = serve(tunnelling(plain.port))

    answer = send(plain.url("wiki.example", "/status"), policy=through(proxy))

    assert answer.body == b"ok"
    assert proxy.requests[0].startswith(b"CONNECT wiki.example:")
    assert plain.requests[0].startswith(b"GET /status HTTP/1.1\r\n")


def test_an_address_of_version_six_stands_in_brackets(serve, send):
    proxy = serve(answering(b"HTTP/1.1 502 No\r\n\r\n"))
    policy = through(proxy)

    with pytest.raises(TransportError):
        send("https://[2606:4700::1111]/", policy=policy)

    assert b"CONNECT [2606:4700::1111]:443 HTTP/1.1" in proxy.requests[0]


# --- a proxy that speaks TLS --------------------------------------------------


@pytest.mark.parametrize("plain", [True, False])
def test_tls_with_the_server_runs_inside_of_tls_with_the_proxy(
    serve, send, wiki, authority, plain
):
    target = serve(keeping_alive()) if plain else wiki
    context = server_context(authority.issue_cert("127.0.0.1"))
    proxy = serve(tunnelling(target.port, credentials=CREDENTIALS), tls=context)
    policy = through(proxy, credentials=CREDENTIALS, ca_bundle=bundle_of(authority))

    with GuardedSession(policy) as session:
        for _ in range(2):
            url = target.url("wiki.example")
            answer = session.send("GET", url, deadline=Deadline(5), max_bytes=9)

    assert answer.body == b"ok"
    assert (len(target.requests), proxy.connections) == (2, 1)


def test_a_proxy_whose_certificate_does_not_fit_gets_no_password(
    serve, refusal, wiki, authority
):
    context = server_context(authority.issue_cert("other.example"))
    proxy = serve(tunnelling(wiki.port), tls=context)
    policy = through(proxy, credentials=CREDENTIALS, ca_bundle=bundle_of(authority))

    assert refusal(wiki.url("wiki.example"), policy=policy) == ("proxy", False)
    assert proxy.requests == []


# --- refusals -----------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n\r\n",
        b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nCNRY",
        b"HTTP/1.1 502 Bad gateway\r\n\r\n",
        b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1/\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OPEN,
        b"HTTP/1.1 200\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        b"HTTP/1.1 200 OK\nX: y\n\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"",
    ],
)
def test_a_proxy_that_does_not_open_the_tunnel_was_sent_nothing(
    serve, refusal, wiki, answer
):
    proxy = serve(answering(answer))
    policy = through(proxy)

    found = refusal(wiki.url("wiki.example"), policy=policy, method="POST", body=b"x")

    assert found == ("proxy", False)
    assert wiki.connections == 0


def test_a_wrong_password_is_a_refusal_of_the_proxy(serve, refusal, wiki, policy):
    wrong = replace(policy, proxy=Proxy(policy.proxy.url, "ours:other"))

    assert refusal(wiki.url("wiki.example"), policy=wrong) == ("proxy", False)
    assert wiki.connections == 0


def test_a_proxy_that_is_not_there_is_told_as_one(refusal):
    policy = NetworkPolicy(
        allowed=("127.0.0.1:1", "unknown.example"), proxy=Proxy("http://127.0.0.1:1")
    )
    unknown = replace(policy, proxy=Proxy("http://unknown.example:3128"))
    url = "https://wiki.example"

    assert refusal(url, policy=policy) == ("proxy", False)
    found = refusal(url, policy=unknown, resolver=lambda host, port: [])
    assert found == ("proxy", False)


def test_nothing_that_a_proxy_says_hangs_on_the_error(serve, send, caplog, wiki):
    caplog.set_level(logging.DEBUG)
    proxy = serve(answering(b"HTTP/1.1 403 CNRY-said\r\nX: CNRY-said\r\n\r\n"))
    policy = through(proxy, credentials=CREDENTIALS)

    with pytest.raises(TransportError) as caught:
        send(wiki.url("wiki.example"), policy=policy)

    assert caught.value.__cause__ is None
    assert "CNRY" not in str(caught.value) + caplog.text
    assert list(caught.traceback)[-1].path.name == "session.py"


def test_the_words_for_a_proxy_are_not_shown_and_not_handed_on():
    policy = NetworkPolicy(proxy=Proxy("http://proxy.example:3128", CREDENTIALS))

    assert "CNRY" not in f"{policy!r} {policy.proxy!r}"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(policy)


# --- what still holds behind it -----------------------------------------------


def test_s14_a_certificate_is_checked_behind_a_proxy_too(
    serve, refusal, authority, policy, wiki
):
    """The proxy may lead to whatever it likes: the name decides."""
    other = serve(
        keeping_alive(), tls=server_context(authority.issue_cert("other.example"))
    )
    lying = serve(tunnelling(other.port))
    policy = through(lying, ca_bundle=bundle_of(authority))

    assert refusal(wiki.url("wiki.example"), policy=policy) == ("tls", False)
    assert other.requests == []


def drip_of_a_head(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nX: ")
    peer.drip(b"y")


def silence(peer):
    peer.read_request()
    peer.server.stopping.wait(10)


def silent_tunnel(peer):
    peer.read_request()
    peer.send(OPEN)
    peer.server.stopping.wait(10)


@pytest.mark.parametrize("handler", [drip_of_a_head, silence, silent_tunnel])
def test_h03_a_slow_proxy_ends_at_the_deadline(serve, refusal, handler):
    policy, start = through(serve(handler)), time.monotonic()

    found = refusal("https://wiki.example", policy=policy, seconds=0.4)

    assert found == ("timeout", False)
    assert 0.4 <= time.monotonic() - start < 1.4


def test_h03_a_handshake_of_a_proxy_that_never_ends_ends_at_the_deadline(
    serve, refusal
):
    def record_drip(peer):
        peer.send(b"\x16\x03\x03\x3f\xff\x02")
        peer.drip(b"x")

    proxy = serve(record_drip)
    policy = replace(through(proxy), proxy=Proxy(f"https://127.0.0.1:{proxy.port}"))

    assert refusal("https://wiki.example", policy=policy, seconds=0.3) == (
        "timeout",
        False,
    )


@pytest.mark.parametrize("encrypted", [True, False])
def test_h03_a_slow_server_ends_at_the_deadline_behind_a_proxy(
    serve, refusal, authority, encrypted
):
    def drip(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        peer.drip(b"x")

    context = server_context(authority.issue_cert("wiki.example"))
    server = serve(drip, tls=context)
    at_door = server_context(authority.issue_cert("127.0.0.1"))
    proxy = serve(tunnelling(server.port), tls=at_door if encrypted else None)
    policy = through(proxy, ca_bundle=bundle_of(authority))

    found = refusal(server.url("wiki.example"), policy=policy, seconds=0.5)

    assert found == ("timeout", True)


def test_h01_a_body_is_capped_behind_a_proxy(serve, refusal, authority):
    context = server_context(authority.issue_cert("wiki.example"))
    server = serve(answering(body(b"x" * 101)), tls=context)
    policy = through(serve(tunnelling(server.port)), ca_bundle=bundle_of(authority))

    found = refusal(server.url("wiki.example"), policy=policy, max_bytes=100)

    assert found == ("too_large", True)


def test_what_follows_the_answer_of_a_proxy_belongs_to_the_server(serve, send):
    """Bytes behind the head are the tunnel's, not the proxy's."""
    plain = serve(keeping_alive())
    proxy = serve(tunnelling(plain.port, opened=OPEN + OK.replace(b"ok", b"no")))

    assert send(plain.url("wiki.example"), policy=through(proxy)).body == b"no"
