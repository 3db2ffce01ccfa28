"""TLS contexts: always verifying, with a certificate of our own if the server asks."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from requests.adapters import DEFAULT_CA_BUNDLE_PATH

from confluence_link.errors import TransportError

# Codes of OpenSSL's verification that say more than "nobody we trust signed it".
# Reference: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_FLAWS: Final[dict[int, Literal["expired", "name"]]] = {
    9: "expired",
    10: "expired",
    62: "name",
    64: "name",
}


class UntrustedCertificate(TransportError):
    """The other side speaks TLS, but its certificate does not hold; nothing was sent.

    `flaw` is expired (or not valid yet), name (it is for another one) or chain.
    """

    def __init__(self, code: int) -> None:
        super().__init__("tls", sent=False)
        self.flaw: Literal["expired", "name", "chain"] = _FLAWS.get(code, "chain")


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Certificate, chain and key as PEM; the key opens with `password` alone.

    The vault makes one for each policy, with a password of its own.
    """

    pem: str = field(repr=False)
    password: str = field(repr=False)

    def __reduce__(self) -> str:
        raise TypeError("a private key cannot be pickled")


def tls_context(
    ca_bundle: str, client_certificate: ClientCertificate | None = None
) -> ssl.SSLContext:
    """Verifies always; trusts `ca_bundle` (PEM) or else the public roots alone.

    Raises TransportError("tls"). Only a context that holds no key is shared and kept:
    one with a key ends with the session that asked for it.
    """
    if client_certificate is None:
        return _shared(ca_bundle)
    context = _verifying(ca_bundle)
    _present(context, client_certificate)
    return context


@lru_cache(maxsize=64)
def proxy_tls_context(ca_bundle: str) -> ssl.SSLContext:
    """A proxy's certificate may be public, or of the same authority as the server's.

    It never gets to see our client certificate.
    """
    context = _verifying("")
    if ca_bundle:
        context.load_verify_locations(cadata=ca_bundle)
    return context


def check_ca_bundle(pem: str) -> None:
    """Raises TransportError("tls") unless `pem` holds readable certificates."""
    if pem:
        _verifying(pem)


def check_client_certificate(certificate: ClientCertificate) -> None:
    """Raises TransportError("tls") unless TLS can present it."""
    _present(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate)


def _verifying(ca_bundle: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(
            # Named, because the default would let SSL_CERT_FILE choose.
            cafile=None if ca_bundle else DEFAULT_CA_BUNDLE_PATH,
            cadata=ca_bundle or None,
        )
    except (ssl.SSLError, TypeError, ValueError):
        raise TransportError("tls", sent=False) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


# Reading the public roots takes 20 ms.
_shared = lru_cache(maxsize=64)(_verifying)


def _present(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    # Python reads keys from files alone. This one is ours to read, and of no use
    # without the password, also if the process dies before it is removed.
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(certificate.pem)
            file.flush()
            context.load_cert_chain(file.name, password=certificate.password)
    except (OSError, ValueError):
        raise TransportError("tls", sent=False) from None
