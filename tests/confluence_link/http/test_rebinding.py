"""S02, S03, S04: names that change their mind, asked of a real name server."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from confluence_link.errors import TransportError
from confluence_link.http import Deadline, GuardedSession, NetworkPolicy, Proxy
from tests.confluence_link.http import name_server
from tests.confluence_link.http.conftest import bundle_of, server_context
from tests.confluence_link.http.proxies import tunnelling
from tests.confluence_link.http.servers import OK, answering, keeping_alive

PUBLIC = "93.184.216.34"
NAME = "wiki.rebinding.example"
BLOCKED = ("blocked", False)


@pytest.fixture
def names():
    with name_server.running() as server:
        yield server


@pytest.fixture
def site(serve, authority):
    """What stands at the public address; it ends each connection by itself."""
    certificate = server_context(authority.issue_cert(NAME))
    certificate.names = []
    certificate.sni_callback = lambda sock, name, ctx: certificate.names.append(name)
    server = serve(answering(OK), tls=certificate)
    server.names = certificate.names
    return server


@pytest.fixture
def peers(monkeypatch, site):
    """The peers of all connections; the public address leads to `site`.

    A stand-in for the internet: this machine has no public address to listen on.
    """
    connected: list[tuple[str, int]] = []
    connect = socket.socket.connect

    def route(self, address):
        connected.append(address)
        is_public = address == (PUBLIC, 443)
        return connect(self, ("127.0.0.1", site.port) if is_public else address)

    monkeypatch.setattr(socket.socket, "connect", route)
    return connected


@pytest.fixture
def policy(authority):
    """Nothing is allowed but what is public."""
    return NetworkPolicy(ca_bundle=bundle_of(authority))


@pytest.fixture
def session(names, policy):
    with GuardedSession(policy, resolver=name_server.asking(names)) as session:
        yield session


def get(session, url=f"https://{NAME}/status"):
    return session.send("GET", url, deadline=Deadline(5), max_bytes=99)


def refusal(session):
    with pytest.raises(TransportError) as caught:
        get(session)
    return caught.value.reason, caught.value.sent


def test_s03_each_connection_asks_once_and_goes_to_the_address_that_was_judged(
    names, site, peers, session
):
    names.answer(NAME, PUBLIC, "127.0.0.1")

    assert get(session).body == b"ok"

    assert names.asked == {NAME: 1}
    assert peers == [(PUBLIC, 443)]
    assert site.names == [NAME]
    assert f"\r\nHost: {NAME}\r\n".encode() in site.requests[0]


def test_s03_the_second_answer_is_judged_anew_and_refused(names, site, peers, session):
    names.answer(NAME, PUBLIC, "127.0.0.1")
    get(session)
    assert site.ended.acquire(timeout=5)

    assert refusal(session) == BLOCKED

    assert names.asked == {NAME: 2}
    assert peers == [(PUBLIC, 443)]


def test_s03_a_kept_connection_asks_nothing(names, serve, peers, policy, authority):
    context = server_context(authority.issue_cert(NAME))
    server = serve(keeping_alive(), tls=context)
    names.answer(NAME, "127.0.0.1", PUBLIC)
    policy = replace(policy, allowed=("127.0.0.1",))
    with GuardedSession(policy, resolver=name_server.asking(names)) as session:
        for _ in range(3):
            get(session, server.url(NAME))

    assert names.asked == {NAME: 1}
    assert peers == [("127.0.0.1", server.port)]


def test_s03_the_name_of_a_proxy_is_asked_once_and_judged_too(
    names, serve, peers, policy, authority
):
    target = serve(
        answering(OK), tls=server_context(authority.issue_cert("behind.example"))
    )
    proxy = serve(tunnelling(target.port))
    names.answer("proxy.example", "127.0.0.1", "10.0.0.1")
    policy = replace(
        policy,
        allowed=(f"127.0.0.1:{proxy.port}", "behind.example"),
        proxy=Proxy(f"http://proxy.example:{proxy.port}"),
    )
    with GuardedSession(policy, resolver=name_server.asking(names)) as session:
        url = target.url("behind.example")
        assert get(session, url).body == b"ok"
        assert target.ended.acquire(timeout=5)
        with pytest.raises(TransportError, match="blocked"):
            get(session, url)

    assert names.asked == {"proxy.example": 2}
    assert ("127.0.0.1", proxy.port) in peers
    assert "10.0.0.1" not in dict(peers)


@pytest.mark.parametrize("answer", [f"{PUBLIC} 10.0.0.1", f"127.0.0.1 {PUBLIC}"])
def test_s02_one_private_address_among_public_ones_refuses_all(
    names, peers, session, answer
):
    names.answer(NAME, answer)

    assert refusal(session) == BLOCKED
    assert peers == []


def test_s02_an_alias_of_an_internal_name_is_refused(names, peers, session):
    names.answer(NAME, "alias:db.corp.example")
    names.answer("db.corp.example", "10.0.0.5")

    assert refusal(session) == BLOCKED
    assert peers == []


def test_s04_a_server_that_moves_inside_is_refused_when_it_is_connected_to(
    names, site, peers, session
):
    names.answer(NAME, PUBLIC, "10.20.30.40")
    get(session)
    assert site.ended.acquire(timeout=5)

    assert refusal(session) == BLOCKED
    assert peers == [(PUBLIC, 443)]


def test_s17_five_hundred_records_are_all_judged(names, peers, session):
    many = " ".join(f"8.8.{n // 250}.{n % 250}" for n in range(499))
    names.answer(NAME, f"{many} 10.0.0.1")

    assert refusal(session) == BLOCKED
    assert peers == []


def test_s17_an_alias_that_leads_in_circles_is_a_name_that_nobody_knows(names, session):
    names.answer(NAME, f"alias:{NAME}")

    assert refusal(session) == ("dns", False)
