"""What a probe tells to everyone, and what to operators alone."""

from __future__ import annotations

import pytest
import trustme

from confluence_link.atlassian.probe import probe
from confluence_link.atlassian.probe_steps import for_everyone, way_to
from confluence_link.errors import TransportError
from confluence_link.http import NetworkPolicy, Proxy
from tests.confluence_link.http.conftest import bundle_of, server_context
from tests.confluence_link.http.servers import answering, body, keeping_alive

LOOPBACK = NetworkPolicy(allow_http=True, allowed=("127.0.0.1",))


def seen(url, policy=LOOPBACK, **kwargs):
    return for_everyone(probe(url, policy, **kwargs))


def test_s15_closed_silent_and_foreign_ports_read_the_same(serve, wire):
    """Nothing says whether a port is open, or what answers there."""
    no_confluence = wire.url
    wire.answer("/status", b"<html>it works</html>", 404)
    banner = serve(lambda peer: peer.send(b"SSH-2.0-OpenSSH_9.9\r\n"))
    redirect = serve(answering(body(b"", "Location: /login", status="302 Found")))
    closing = serve(lambda peer: None)
    urls = (
        "http://127.0.0.1:1",
        "https://127.0.0.1:1",
        no_confluence,
        banner.url().rstrip("/"),
        banner.url().rstrip("/").replace("http:", "https:"),
        redirect.url().rstrip("/"),
        closing.url().rstrip("/"),
    )

    texts = {
        tuple(step for step in seen(url) if step.name != "Address") for url in urls
    }

    assert len(texts) == 1
    name, answer = texts.pop()
    assert (name.name, answer.name) == ("Name", "Confluence")
    assert "context path" in answer.cure


def test_s15_a_silent_port_reads_as_a_closed_one(serve, monkeypatch):
    monkeypatch.setattr("confluence_link.atlassian.probe.SECONDS", 0.3)
    silent = serve(lambda peer: peer.server.stopping.wait(5))

    filtered, closed = seen(silent.url().rstrip("/")), seen("http://127.0.0.1:1")

    assert filtered[1:] == closed[1:]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://10.0.0.1", "address"),
        ("https://wiki.corp.internal", "address"),
        ("https://wiki.example.com:8090", "port"),
        ("http://wiki.example.com", "scheme"),
    ],
)
def test_settings_are_named_to_operators_alone(url, problem):
    (step,) = probe(url, NetworkPolicy())
    (shown,) = seen(url, NetworkPolicy())

    assert "CONFLUENCE_LINK_" in step.hint
    assert "CONFLUENCE_LINK_" not in str(shown)
    assert (shown.problem, shown.cure) == (problem, step.cure)


def test_a_name_that_leads_to_a_private_address_is_told():
    # A listed network may let any name in, so that this one is looked up.
    policy = NetworkPolicy(allow_http=True, allowed=("10.0.0.0/8",))

    *_, step = seen("http://localhost", policy)

    assert (step.name, step.problem) == ("Name", "address")
    assert "not on the public internet" in step.cure


@pytest.mark.parametrize(
    ("certificate", "found"),
    [
        (lambda ca: ca.issue_cert("other.example"), "another name"),
        (lambda ca: trustme.CA().issue_cert("127.0.0.1"), "not trusted"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told(serve, authority, certificate, found):
    server = serve(keeping_alive(), tls=server_context(certificate(authority)))
    policy = NetworkPolicy(allowed=("127.0.0.1",), ca_bundle=bundle_of(authority))

    *before, step = seen(server.url().rstrip("/"), policy)

    assert [each.name for each in before] == ["Address", "Name", "Connection"]
    assert (step.name, step.found) == ("TLS", found)


def test_a_server_that_does_not_know_us_is_told():
    """What the door makes of it is in its own tests; a server may also just hang up."""
    error = TransportError("tls", sent=True)

    (*_, tls, step) = for_everyone(way_to(error, encrypted=True, proxied=False))

    assert (tls.found, step.name) == ("trusted", "Client certificate")
    assert "Enter one" in step.cure


def test_a_proxy_that_is_not_there_is_told(sandbox):
    policy = NetworkPolicy(
        allow_http=True,
        allowed=("127.0.0.1",),
        proxy=Proxy("http://127.0.0.1:1"),
    )

    step = seen(sandbox.data_center.url, policy)[-1]

    assert (step.name, step.found) == ("Proxy", "proxy")
    assert "password" in step.cure
