"""Client certificates: read once when they are entered, and made ready for TLS.

The key lies sealed in the row. Python's TLS takes keys from files alone, so what
leaves the vault has its key encrypted under a password that is made for this one use
and is kept nowhere.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from confluence_link.errors import TransportError, UnusableCertificate
from confluence_link.http import ClientCertificate, check_client_certificate

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPublicKeyTypes,
        PrivateKeyTypes,
        PublicKeyTypes,
    )

MAX_CHARACTERS: Final = 100_000
_BLOCK: Final = re.compile(
    # No two hyphens inside, so that every try ends at the next mark.
    r"-----BEGIN ([A-Z0-9 ]{1,40})-----(?:[A-Za-z0-9+/=\s:,]|-(?!-))*-----END \1-----"
)


@dataclass(frozen=True, slots=True)
class Usable:
    """In one order: the certificate, its chain, the key."""

    pem: str = field(repr=False)
    expires_at: datetime


def read(pem: str) -> Usable:
    """Raises UnusableCertificate, whose text says what to enter instead."""
    blocks = _blocks(pem)
    certificates = [text for name, text in blocks if name == "CERTIFICATE"]
    keys = [text for name, text in blocks if name.endswith("PRIVATE KEY")]
    if not certificates:
        raise UnusableCertificate("There is no certificate in PEM form.")
    if len(keys) != 1:
        raise UnusableCertificate("Enter the certificate with its one private key.")
    key = _key(keys[0])
    own, chain = _parted(certificates, key)
    if own.not_valid_after_utc <= datetime.now(UTC):
        raise UnusableCertificate("This certificate has expired.")
    whole = [one.public_bytes(Encoding.PEM) for one in (own, *chain)]
    text = b"".join([*whole, _pem_of(key, NoEncryption())]).decode()
    _check_with_tls(text)
    return Usable(text, own.not_valid_after_utc)


def for_one_context(pem: str) -> ClientCertificate:
    """`pem` is what `read` made of it."""
    password = secrets.token_urlsafe(32)
    *certificates, (_, key) = _blocks(pem)
    encrypted = _pem_of(_key(key), BestAvailableEncryption(password.encode()))
    public = "\n".join(text for _, text in certificates)
    return ClientCertificate(f"{public}\n{encrypted.decode()}", password)


def _check_with_tls(pem: str) -> None:
    try:
        check_client_certificate(for_one_context(pem))
    except TransportError:
        problem = "TLS does not take this certificate: its key or signature is weak."
        raise UnusableCertificate(problem) from None


def _blocks(pem: str) -> list[tuple[str, str]]:
    if len(pem) > MAX_CHARACTERS:
        raise UnusableCertificate("This is too long for a certificate and its key.")
    return [(match[1], match[0]) for match in _BLOCK.finditer(pem)]


def _key(text: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError:
        problem = "The private key has a passphrase: enter the key without it."
    except (ValueError, UnsupportedAlgorithm):
        problem = "The private key cannot be read."
    # Raised outside of the handler: a parser's error may quote the key.
    raise UnusableCertificate(problem)


def _parted(
    texts: list[str], key: PrivateKeyTypes
) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """The certificate of this key, and the others in their order."""
    try:
        certificates = [x509.load_pem_x509_certificate(t.encode()) for t in texts]
        ours = _public(key.public_key())
        own = [one for one in certificates if _public(one.public_key()) == ours]
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableCertificate("A certificate cannot be read.") from None
    if not own:
        raise UnusableCertificate("The private key belongs to another certificate.")
    return own[0], [one for one in certificates if one is not own[0]]


def _public(key: PublicKeyTypes | CertificateIssuerPublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _pem_of(key: PrivateKeyTypes, encryption: KeySerializationEncryption) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
