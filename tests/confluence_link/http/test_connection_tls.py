"""Whom a connection trusts: always verified, by the app's own authority if any."""

from __future__ import annotations

import re
import socket
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509 import NameOID

from confluence_link.errors import TransportError
from confluence_link.http import (
    Deadline,
    GuardedSession,
    NetworkPolicy,
    UntrustedCertificate,
    check_ca_bundle,
)
from tests.confluence_link.http.conftest import bundle_of, server_context, to_loopback
from tests.confluence_link.http.servers import OK, answering, keeping_alive


@pytest.fixture
def trusting(authority):
    """A policy that lets the test servers in and trusts their authority alone."""
    return NetworkPolicy(allowed=("127.0.0.1",), ca_bundle=bundle_of(authority))


def test_s14_the_authority_of_the_app_is_trusted(serve, send, authority, trusting):
    context = server_context(authority.issue_cert("wiki.example"))
    names = []
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    server = serve(answering(OK), tls=context)

    assert send(server.url("wiki.example"), policy=trusting).body == b"ok"
    assert names == ["wiki.example"]


def test_s14_an_address_is_checked_in_the_certificate(serve, send, authority, trusting):
    server = serve(answering(OK), tls=server_context(authority.issue_cert("127.0.0.1")))

    assert send(server.url(), policy=trusting).body == b"ok"


@pytest.mark.parametrize(
    ("certificate", "flaw"),
    [
        (lambda ca: ca.issue_cert("other.example"), "name"),
        (lambda ca: ca.issue_cert("127.0.0.1"), "name"),
        (
            lambda ca: ca.issue_cert(
                "wiki.example", not_after=datetime(2020, 1, 2, tzinfo=UTC)
            ),
            "expired",
        ),
        (lambda ca: trustme.CA().issue_cert("wiki.example"), "chain"),
    ],
    ids=["wrong name", "address only", "expired", "unknown authority"],
)
def test_s14_a_certificate_that_does_not_fit_is_refused_and_told(
    serve, send, authority, trusting, certificate, flaw
):
    server = serve(keeping_alive(), tls=server_context(certificate(authority)))

    with pytest.raises(UntrustedCertificate) as refused:
        send(server.url("wiki.example"), policy=trusting)

    assert (refused.value.reason, refused.value.sent) == ("tls", False)
    assert refused.value.flaw == flaw
    assert server.requests == []


def test_s14_an_address_that_the_certificate_does_not_name_is_told(
    serve, send, authority, trusting
):
    server = serve(
        keeping_alive(), tls=server_context(authority.issue_cert("wiki.example"))
    )

    with pytest.raises(UntrustedCertificate) as refused:
        send(server.url(), policy=trusting)

    assert refused.value.flaw == "name"


def test_s14_the_public_roots_do_not_know_a_private_authority(
    serve, refusal, authority, monkeypatch, tmp_path
):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(bundle_of(authority))
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(bundle))
    context = server_context(authority.issue_cert("wiki.example"))
    server = serve(keeping_alive(), tls=context)
    policy = NetworkPolicy(allowed=("127.0.0.1",))

    assert refusal(server.url("wiki.example"), policy=policy) == ("tls", False)


def test_s14_a_server_that_signed_for_itself_is_refused(serve, send):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wiki.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("wiki.example")]), critical=False
        )
        .sign(key, SHA256())
    )
    server = serve(keeping_alive(), tls=server_context(_leaf(certificate, key)))

    with pytest.raises(UntrustedCertificate) as refused:
        send(server.url("wiki.example"), policy=NetworkPolicy(allowed=("127.0.0.1",)))

    assert refused.value.flaw == "chain"
    assert server.requests == []


def _leaf(certificate, key):
    """As trustme hands one out."""
    private = key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    return trustme.LeafCert(private, certificate.public_bytes(Encoding.PEM), [])


def old_tls(context, version):
    """Speaks this version and no other, with the ciphers of its time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_s14_old_tls_is_refused(serve, refusal, authority, trusting, version):
    context = server_context(authority.issue_cert("wiki.example"))
    server = serve(keeping_alive(), tls=old_tls(context, version))

    assert refusal(server.url("wiki.example"), policy=trusting) == ("tls", False)

    # The server itself would have answered.
    old = old_tls(ssl.create_default_context(), version)
    authority.configure_trust(old)
    with (
        socket.create_connection(("127.0.0.1", server.port)) as below,
        old.wrap_socket(below, server_hostname="wiki.example") as above,
    ):
        assert above.version() in {"TLSv1", "TLSv1.1"}


SOURCES = [
    path
    for package in ("accounts", "config", "confluence_link")
    for path in (Path(__file__).parents[3] / package).rglob("*.py")
]
# How Python, requests and urllib3 are told not to look.
UNCHECKED = re.compile(
    r"verify\s*=\s*False|CERT_NONE|CERT_OPTIONAL|_create_unverified_context"
    r"|check_hostname\s*=\s*False|assert_hostname\s*=\s*False"
)


def test_s14_no_source_switches_the_check_off():
    assert len(SOURCES) > 100
    assert not [path for path in SOURCES if UNCHECKED.search(path.read_text())]


def test_a_server_that_speaks_no_tls_is_refused_before_anything_is_sent(
    serve, refusal, trusting
):
    server = serve(lambda peer: peer.send(b"SSH-2.0-OpenSSH_9.9\r\n"))
    url = f"https://wiki.example:{server.port}"

    assert refusal(url, policy=trusting) == ("tls", False)


def test_h03_a_handshake_that_never_ends_ends_at_the_deadline(serve, refusal, trusting):
    def record_drip(peer):
        # The start of a long ServerHello.
        peer.send(b"\x16\x03\x03\x3f\xff\x02")
        peer.drip(b"x")

    server = serve(record_drip)
    url = f"https://wiki.example:{server.port}"

    assert refusal(url, policy=trusting, seconds=0.3) == ("timeout", False)


def test_h03_a_drip_inside_of_tls_ends_at_the_deadline(
    serve, refusal, authority, trusting
):
    def drip(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        peer.drip(b"x")

    context = server_context(authority.issue_cert("wiki.example"))
    server = serve(drip, tls=context)

    found = refusal(server.url("wiki.example"), policy=trusting, seconds=0.4)
    assert found == ("timeout", True)


def test_kept_connections_work_inside_of_tls_too(serve, authority, trusting):
    context = server_context(authority.issue_cert("wiki.example"))
    server = serve(keeping_alive(), tls=context)
    with GuardedSession(trusting, resolver=to_loopback) as session:
        for _ in range(3):
            url = server.url("wiki.example")
            session.send("GET", url, deadline=Deadline(5), max_bytes=9)

    assert server.connections == 1


def test_a_bundle_is_checked_where_it_is_entered(authority):
    check_ca_bundle("")
    check_ca_bundle(bundle_of(authority))
    for text in ("no certificate", "ü", bundle_of(authority)[:200]):
        with pytest.raises(TransportError) as caught:
            check_ca_bundle(text)
        assert caught.value.reason == "tls"
