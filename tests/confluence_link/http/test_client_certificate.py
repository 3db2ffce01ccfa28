"""S14: servers that ask who we are, in both versions of TLS that are left."""

from __future__ import annotations

import pickle
import ssl
import stat
from pathlib import Path

import pytest
import trustme

from confluence_link.errors import TransportError
from confluence_link.http import (
    ClientCertificate,
    GuardedSession,
    NetworkPolicy,
    check_client_certificate,
)
from confluence_link.http.tls import tls_context
from confluence_link.vault import certificates
from tests.confluence_link.http.conftest import bundle_of, server_context
from tests.confluence_link.http.proxies import tunnelling
from tests.confluence_link.http.servers import OK
from tests.confluence_link.http.test_tunnel import through

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="session")
def company() -> trustme.CA:
    """The authority that the server asks for."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ours(company):
    """As the vault gives it for one TLS context."""
    return issued_by(company)


def issued_by(authority, name="confluence-link.example"):
    leaf = authority.issue_cert(name)
    pem = leaf.private_key_and_cert_chain_pem.bytes().decode()
    return certificates.for_one_context(certificates.read(pem).pem)


@pytest.fixture(params=VERSIONS, ids=["1.2", "1.3"])
def wiki(request, serve, authority, company):
    """A server that answers only those whom the company knows."""
    context = server_context(authority.issue_cert("wiki.example"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = request.param
    company.configure_trust(context)

    def handle(peer):
        shown = peer.connection.getpeercert()
        server.shown.append(dict(shown["subjectAltName"])["DNS"])
        if peer.read_request():
            peer.send(OK)

    server = serve(handle, tls=context)
    server.shown = []
    return server


@pytest.fixture
def policy(authority, ours):
    return NetworkPolicy(
        allowed=("127.0.0.1",),
        ca_bundle=bundle_of(authority),
        client_certificate=ours,
    )


def test_s14_the_certificate_of_the_app_is_shown_to_the_server(wiki, policy, send):
    assert send(wiki.url("wiki.example"), policy=policy).body == b"ok"
    assert wiki.shown == ["confluence-link.example"]


@pytest.mark.parametrize("known", [False, True], ids=["none", "unknown"])
def test_s14_a_server_that_does_not_know_us_gets_no_request(
    wiki, authority, known, refusal
):
    """With TLS 1.3 it says so when we have begun to send, or hangs up."""
    certificate = issued_by(trustme.CA()) if known else None
    policy = NetworkPolicy(
        allowed=("127.0.0.1",),
        ca_bundle=bundle_of(authority),
        client_certificate=certificate,
    )

    found = refusal(wiki.url("wiki.example"), policy=policy)

    assert found in {("tls", False), ("tls", True), ("reset", True)}
    assert wiki.requests == []


def test_s14_a_certificate_of_ours_makes_no_other_server_trusted(wiki, ours, refusal):
    policy = NetworkPolicy(allowed=("127.0.0.1",), client_certificate=ours)

    assert refusal(wiki.url("wiki.example"), policy=policy) == ("tls", False)
    assert wiki.shown == []


@pytest.mark.parametrize("encrypted", [True, False])
def test_s14_the_certificate_is_shown_through_a_proxy_and_not_to_it(
    wiki, serve, authority, company, ours, send, encrypted
):
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_OPTIONAL
    company.configure_trust(context)
    shown = []

    def handle(peer):
        shown.append(encrypted and peer.connection.getpeercert())
        tunnelling(wiki.port)(peer)

    proxy = serve(handle, tls=context if encrypted else None)
    policy = through(proxy, ca_bundle=bundle_of(authority), client_certificate=ours)

    assert send(wiki.url("wiki.example"), policy=policy).body == b"ok"
    assert wiki.shown == ["confluence-link.example"]
    assert not any(shown)


# --- where the key lies -------------------------------------------------------


def test_the_key_is_on_no_disk_in_clear_and_its_file_is_gone(ours, monkeypatch):
    seen = []
    load = ssl.SSLContext.load_cert_chain

    def watch(self, certfile, keyfile=None, password=None):
        path = Path(certfile)
        seen.append((path, stat.S_IMODE(path.stat().st_mode), path.read_text()))
        load(self, certfile, keyfile, password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watch)
    tls_context("", ours)

    ((path, mode, text),) = seen
    assert mode == 0o600
    assert not path.exists()
    assert "BEGIN ENCRYPTED PRIVATE KEY" in text
    assert text.count("PRIVATE KEY") == 2
    assert ours.password not in text


def test_a_context_with_a_key_is_kept_by_its_session_alone(policy):
    assert tls_context(policy.ca_bundle) is tls_context(policy.ca_bundle)
    one = tls_context(policy.ca_bundle, policy.client_certificate)
    assert one is not tls_context(policy.ca_bundle, policy.client_certificate)
    with GuardedSession(policy) as first, GuardedSession(policy) as second:
        assert first._adapter._tls is not second._adapter._tls


def test_v10_a_certificate_shows_and_hands_on_nothing(ours, policy):
    assert "PRIVATE" in ours.pem
    for shown in (repr(ours), repr(policy)):
        assert "PRIVATE" not in shown
        assert ours.password not in shown
    for one in (ours, policy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(one)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda ours: ClientCertificate("no certificate", "x"),
        lambda ours: ClientCertificate(ours.pem, "wrong"),
        lambda ours: ClientCertificate(ours.pem.partition("-----BEGIN ENC")[0], "x"),
    ],
)
def test_a_certificate_that_tls_does_not_take_is_told(ours, spoil):
    check_client_certificate(ours)
    with pytest.raises(TransportError) as caught:
        check_client_certificate(spoil(ours))
    assert caught.value.reason == "tls"
