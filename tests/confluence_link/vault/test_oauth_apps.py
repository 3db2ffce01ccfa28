"""What an OAuth app's row holds sealed: secrets, a proxy's password, a certificate."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from confluence_link import vault
from confluence_link.errors import UnusableCertificate, VaultError
from confluence_link.vault import certificates
from tests import factories

SEALED = {
    "client_secret": "sealed_client_secret",
    "next_client_secret": "sealed_next_client_secret",
    "proxy_credentials": "sealed_proxy_credentials",
}


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def leaf(authority):
    return authority.issue_cert("confluence-link.example")


@pytest.fixture(scope="module")
def pem(leaf):
    """Key first, then the certificate, as trustme orders them."""
    return leaf.private_key_and_cert_chain_pem.bytes().decode()


@pytest.fixture
def app(db):
    return factories.make_oauth_app(client_secret="CNRY-secret")


def words(pem):
    with pytest.raises(UnusableCertificate) as caught:
        certificates.read(pem)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("name", SEALED)
def test_v15_what_is_sealed_opens_for_its_own_app_alone(app, name):
    seal, open_ = getattr(vault, f"seal_{name}"), getattr(vault, f"open_{name}")
    seal(app, "CNRY-user:word")
    assert open_(app) == "CNRY-user:word"
    assert b"CNRY" not in getattr(app, SEALED[name])

    other = factories.make_oauth_app()
    setattr(other, SEALED[name], getattr(app, SEALED[name]))

    with pytest.raises(VaultError, match="damaged"):
        open_(other)


@pytest.mark.parametrize("name", SEALED)
@pytest.mark.parametrize("other", SEALED)
def test_v02_the_columns_of_an_app_are_not_interchangeable(app, name, other):
    if name == other:
        return
    getattr(vault, f"seal_{name}")(app, "CNRY")
    setattr(app, SEALED[other], getattr(app, SEALED[name]))

    with pytest.raises(VaultError, match="damaged"):
        getattr(vault, f"open_{other}")(app)


def test_what_was_never_entered_is_empty(app):
    assert vault.open_next_client_secret(app) == ""
    assert vault.open_proxy_credentials(app) == ""
    assert vault.open_client_certificate(app) is None


def test_an_empty_text_removes_what_was_there(app, pem):
    vault.seal_next_client_secret(app, "x")
    vault.seal_proxy_credentials(app, "x:y")
    vault.seal_client_certificate(app, pem)

    vault.seal_next_client_secret(app, "")
    vault.seal_proxy_credentials(app, "")
    vault.seal_client_certificate(app, "")

    test_what_was_never_entered_is_empty(app)
    assert app.client_certificate_expires_at is None


# --- certificates -------------------------------------------------------------


def test_a_certificate_is_sealed_with_its_key_and_its_end_is_known(app, pem):
    vault.seal_client_certificate(app, pem)

    assert b"PRIVATE" not in app.sealed_client_certificate
    assert app.client_certificate_expires_at > datetime.now(UTC)
    assert vault.open_client_certificate(app) is not None


def test_each_opening_has_a_password_of_its_own(app, pem):
    vault.seal_client_certificate(app, pem)
    one, two = vault.open_client_certificate(app), vault.open_client_certificate(app)

    assert one is not None
    assert two is not None
    assert one.password != two.password
    assert "BEGIN PRIVATE KEY" not in one.pem
    with pytest.raises(ValueError, match=r"(?i)password|decrypt"):
        load_pem_private_key(key_of(one.pem), two.password.encode())
    load_pem_private_key(key_of(one.pem), one.password.encode())


def key_of(pem):
    return pem[pem.index("-----BEGIN ENCRYPTED") :].encode()


def test_a_certificate_opens_for_its_own_app_alone(app, pem):
    vault.seal_client_certificate(app, pem)
    other = factories.make_oauth_app()
    other.sealed_client_certificate = app.sealed_client_certificate

    with pytest.raises(VaultError, match="damaged"):
        vault.open_client_certificate(other)


def test_the_order_does_not_matter_and_the_rest_is_left_out(authority, leaf):
    chain = authority.cert_pem.bytes().decode()
    own = leaf.cert_chain_pems[0].bytes().decode()
    key = leaf.private_key_pem.bytes().decode()

    read = certificates.read(f"Bag Attributes\n  friendlyName: x\n{chain}{key}{own}")

    assert re.findall(r"BEGIN ([A-Z ]+)", read.pem) == [
        "CERTIFICATE",
        "CERTIFICATE",
        "PRIVATE KEY",
    ]
    assert read.pem.startswith(own.strip())
    assert "friendlyName" not in read.pem


def private(key, encryption=None):
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()
    ).decode()


def signed(key, *, days=1):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(now - timedelta(days=9))
    builder = builder.not_valid_after(now + timedelta(days=days))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.fixture(scope="module")
def key():
    return ec.generate_private_key(ec.SECP256R1())


def test_a_key_that_belongs_to_another_certificate_is_told(key):
    other = ec.generate_private_key(ec.SECP256R1())

    assert "another certificate" in words(signed(key) + private(other))


def test_a_certificate_without_its_key_is_told(key):
    assert "one private key" in words(signed(key))
    assert "one private key" in words(signed(key) + private(key) + private(key))


def test_a_key_without_its_certificate_is_told(key):
    assert "no certificate" in words(private(key))
    assert "no certificate" in words("hello")


def test_a_key_with_a_passphrase_is_told(key):
    locked = private(key, BestAvailableEncryption(b"passphrase"))

    assert "passphrase" in words(signed(key) + locked)


def test_an_old_key_with_a_passphrase_is_told(key):
    old = key.private_bytes(
        Encoding.PEM,
        PrivateFormat.TraditionalOpenSSL,
        BestAvailableEncryption(b"passphrase"),
    ).decode()

    assert "Proc-Type" in old
    assert "passphrase" in words(signed(key) + old)


def test_a_certificate_that_is_over_is_told(key):
    assert "expired" in words(signed(key, days=-1) + private(key))


def test_a_weak_key_is_told_before_it_is_needed():
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - weak on purpose

    assert "weak" in words(signed(weak) + private(weak))


def test_letters_that_are_no_key_or_certificate_are_told(key):
    junk = "-----BEGIN {0}-----\nCNRY\n-----END {0}-----\n"

    assert "key cannot be read" in words(signed(key) + junk.format("PRIVATE KEY"))
    assert "certificate cannot" in words(junk.format("CERTIFICATE") + private(key))


def test_a_text_that_is_too_long_is_told():
    assert "too long" in words("x" * 100_001)
