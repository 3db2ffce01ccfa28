"""Where a connection may go, decided when it is opened."""

from __future__ import annotations

import errno
import socket
import threading
import time
from ipaddress import ip_address

import pytest

from confluence_link.errors import TransportError
from confluence_link.http import (
    Deadline,
    GuardedSession,
    NetworkPolicy,
)
from confluence_link.http.guard import Guard
from confluence_link.http.target import read_target
from tests.confluence_link.http.servers import OK, answering, keeping_alive

PUBLIC = NetworkPolicy()
BLOCKED = ("blocked", False)


S01_ADDRESSES = """
127.0.0.1 0.0.0.0 ::1 :: ::ffff:127.0.0.1 ::127.0.0.1 ::ffff:0:7f00:1 64:ff9b::7f00:1
64:ff9b:1::a00:1 2002:7f00:1:: 2001:0:7f00:1:: fe80::1%eth0 fec0::1 fd00:ec2::254
fd12::1 10.0.0.1 172.16.0.1 192.168.0.1 100.64.0.1 100.100.100.200 169.254.169.254
192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 224.0.0.1 ff02::1 240.0.0.1
255.255.255.255 2001:db8::1 4000::1 not-an-address
"""


def resolving_to(*addresses: str):
    return lambda host, port: list(addresses)


# --- names --------------------------------------------------------------------


@pytest.mark.parametrize("address", S01_ADDRESSES.split())
def test_s01_no_name_may_lead_here(refusal, address):
    found = refusal("https://w.example", policy=PUBLIC, resolver=resolving_to(address))

    assert found == BLOCKED


@pytest.mark.parametrize(
    "addresses", [("8.8.8.8", "10.0.0.1"), ("10.0.0.1", "8.8.8.8"), ("fd12::1",)]
)
def test_s02_one_private_address_refuses_the_whole_name(refusal, addresses):
    resolver = resolving_to(*addresses)

    assert refusal("https://w.example", policy=PUBLIC, resolver=resolver) == BLOCKED


def test_s02_the_check_goes_beyond_the_addresses_that_would_be_tried(refusal):
    resolver = resolving_to(*(f"8.8.8.{n}" for n in range(200)), "10.0.0.1")

    assert refusal("https://w.example", policy=PUBLIC, resolver=resolver) == BLOCKED


def test_s03_a_connection_looks_up_once_and_goes_to_the_checked_address(serve):
    server = serve(keeping_alive())
    asked = []

    def rebinding(host, port):
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    policy = NetworkPolicy(allow_http=True, allowed=("127.0.0.1",))
    with GuardedSession(policy, resolver=rebinding) as session:
        for _ in range(2):
            url = server.url("wiki.example")
            session.send("GET", url, deadline=Deadline(5), max_bytes=9)

    assert asked == [("wiki.example", server.port)]
    assert b"\r\nHost: wiki.example:%d\r\n" % server.port in server.requests[1]


def test_s04_a_name_that_moved_inside_is_refused_at_the_next_connection(serve):
    server = serve(answering(OK))
    addresses = ["127.0.0.1"]
    policy = NetworkPolicy(allow_http=True, allowed=("127.0.0.1",))
    with GuardedSession(policy, resolver=lambda host, port: addresses) as session:
        url = server.url("wiki.example")
        session.send("GET", url, deadline=Deadline(5), max_bytes=9)
        assert server.ended.acquire(timeout=5)
        addresses[:] = ["10.0.0.1"]
        with pytest.raises(TransportError) as caught:
            session.send("GET", url, deadline=Deadline(5), max_bytes=9)

    assert (caught.value.reason, caught.value.sent) == BLOCKED


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("wiki.corp", "127.0.0.1"),
        ("wiki.corp", "169.254.169.254"),
        ("wiki.corp", "fe80::1"),
        ("wiki.corp", "fd00:ec2::254"),
        ("wiki.corp", "224.0.0.1"),
        ("10.0.0.0/8", "127.0.0.1"),
        ("wiki.other", "127.0.0.1"),
    ],
)
def test_s12_a_listed_name_may_be_private_but_not_everything(refusal, entry, address):
    policy = NetworkPolicy(allowed=(entry,))
    resolver = resolving_to(address)

    assert refusal("https://wiki.corp", policy=policy, resolver=resolver) == BLOCKED


@pytest.mark.parametrize(
    ("url", "entry", "address"),
    [
        ("https://wiki.corp:1", "wiki.corp", "10.1.2.3"),
        ("https://wiki.corp:1", "wiki.corp", "fd12::1"),
        ("https://wiki.corp:1", "wiki.corp", "::ffff:10.1.2.3"),
        ("https://wiki.corp:1", "wiki.corp:1", "8.8.8.8"),
        ("https://wiki.corp:1", "10.1.0.0/16", "10.1.2.3"),
        ("https://wiki.corp:1", "10.1.2.3:1", "10.1.2.3"),
        ("https://wiki.internal:1", "10.1.0.0/16", "10.1.2.3"),
        ("https://localhost:1", "localhost", "::1"),
        ("https://a.localhost:1", "a.localhost", "127.0.0.1"),
        ("https://wiki.corp", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_s12_a_listed_site_may_be_private(url, entry, address):
    guard, target = Guard(NetworkPolicy(allowed=(entry,))), read_target(url)

    guard.check_target(target)
    guard.check_address(target.host, target.port, ip_address(address))


def test_s12_an_internal_name_does_not_become_public_beside_a_listed_network(refusal):
    policy = NetworkPolicy(allowed=("10.0.0.0/8",))
    resolver = resolving_to("8.8.8.8")

    found = refusal(
        "https://metadata.google.internal", policy=policy, resolver=resolver
    )

    assert found == BLOCKED


def test_s12_another_port_of_a_name_is_refused_when_it_leads_elsewhere(refusal):
    policy = NetworkPolicy(allowed=("10.0.0.0/8",))
    resolver = resolving_to("8.8.8.8")

    found = refusal("https://wiki.example:22", policy=policy, resolver=resolver)

    assert found == BLOCKED


def test_s12_localhost_when_listed_may_be_loopback(serve, send):
    policy = NetworkPolicy(allow_http=True, allowed=("localhost",))

    assert send(serve(keeping_alive()).url("localhost"), policy=policy).status == 200


def test_s17_a_slow_resolver_gets_two_seconds(refusal):
    done = threading.Event()
    start = time.monotonic()

    found = refusal(
        "https://w.example",
        policy=PUBLIC,
        resolver=lambda host, port: done.wait(10) and [],
        seconds=30,
    )
    done.set()

    assert found == ("dns", False)
    assert time.monotonic() - start < 3


def test_s17_the_deadline_ends_a_look_up_too(refusal):
    done = threading.Event()

    found = refusal(
        "https://w.example",
        policy=PUBLIC,
        resolver=lambda host, port: done.wait(10) and [],
        seconds=0.1,
    )
    done.set()

    assert found == ("timeout", False)


@pytest.mark.parametrize("error", [socket.gaierror(8, "unknown"), UnicodeError("long")])
def test_a_name_that_nobody_knows_is_a_dns_error(refusal, error):
    def unknown(host, port):
        raise error

    found = refusal("https://w.example", policy=PUBLIC, resolver=unknown)
    assert found == ("dns", False)


def test_a_name_without_addresses_is_a_dns_error(refusal):
    found = refusal("https://w.example", policy=PUBLIC, resolver=resolving_to())
    assert found == ("dns", False)


# --- connections --------------------------------------------------------------


def test_s15_a_closed_port_is_a_connect_error(serve, refusal):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert refusal(f"http://127.0.0.1:{port}") == ("connect", False)


BANNERS = [
    b"SSH-2.0-OpenSSH_9.9\r\n",
    b"-ERR unknown command 'GET', CNRY\r\n",
    b"220 mail.corp ESMTP CNRY\r\n",
    b"\x00\x00CNRY",
]


@pytest.mark.parametrize("banner", BANNERS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_s15_what_another_service_says_is_in_no_error(serve, send, banner, scheme):
    server = serve(lambda peer: peer.send(banner))
    url = server.url().replace("http:", f"{scheme}:")

    with pytest.raises(TransportError) as caught:
        send(url)

    assert caught.value.reason in {"malformed", "tls", "reset"}
    assert "CNRY" not in repr(vars(caught.value)) + str(caught.value)


DEAD = [f"127.0.1.{n}" for n in range(16)]


@pytest.mark.allow_hosts(["127.0.0.1", *DEAD])
def test_s17_at_most_sixteen_addresses_are_tried(serve, refusal):
    server = serve(keeping_alive())
    policy = NetworkPolicy(allow_http=True, allowed=("127.0.0.0/8",))
    resolver = resolving_to(*DEAD, "127.0.0.1")

    found = refusal(server.url("w.example"), policy=policy, resolver=resolver)

    assert found == ("connect", False)
    assert server.connections == 0


@pytest.mark.allow_hosts(["127.0.0.1", "::1", *DEAD])
def test_the_next_address_is_tried_when_one_does_not_answer(serve, send):
    server = serve(keeping_alive())
    policy = NetworkPolicy(allow_http=True, allowed=("127.0.0.0/8", "::1"))
    resolver = resolving_to(*DEAD[:2], "::1", "127.0.0.1")

    answer = send(server.url("w.example"), policy=policy, resolver=resolver)

    assert answer.status == 200


def test_a_connection_that_opens_too_late_was_not_sent(refusal):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        # Fills the queue of the listener, so that the next one has to wait.
        with socket.create_connection(address), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(address)
            found = refusal(f"http://127.0.0.1:{address[1]}", seconds=0.3)

    assert found == ("timeout", False)


def test_a_machine_without_sockets_left_did_not_send(serve, refusal, monkeypatch):
    server = serve(keeping_alive())

    def exhausted(self, *args, **kwargs):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "__init__", exhausted)
        found = refusal(server.url())

    assert found == ("connect", False)
