"""What an OAuth app's row holds sealed. The caller saves the row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluence_link.vault import certificates
from confluence_link.vault.envelopes import Binding, open_sealed, seal

if TYPE_CHECKING:
    from confluence_link.http import ClientCertificate
    from confluence_link.models import OAuthApp


def seal_client_secret(oauth_app: OAuthApp, secret: str) -> None:
    oauth_app.sealed_client_secret = _sealed(oauth_app, "client_secret", secret)


def open_client_secret(oauth_app: OAuthApp) -> str:
    return _opened(oauth_app, "client_secret", oauth_app.sealed_client_secret)


def seal_next_client_secret(oauth_app: OAuthApp, secret: str) -> None:
    """The secret to come; an empty text removes it."""
    oauth_app.sealed_next_client_secret = _sealed(
        oauth_app, "next_client_secret", secret
    )


def open_next_client_secret(oauth_app: OAuthApp) -> str:
    """Empty if there is none."""
    sealed = oauth_app.sealed_next_client_secret
    return _opened(oauth_app, "next_client_secret", sealed) if sealed else ""


def seal_proxy_credentials(oauth_app: OAuthApp, credentials: str) -> None:
    """`user:password`; an empty text removes them."""
    oauth_app.sealed_proxy_credentials = _sealed(
        oauth_app, "proxy_credentials", credentials
    )


def open_proxy_credentials(oauth_app: OAuthApp) -> str:
    """Empty if there are none."""
    sealed = oauth_app.sealed_proxy_credentials
    return _opened(oauth_app, "proxy_credentials", sealed) if sealed else ""


def seal_client_certificate(oauth_app: OAuthApp, pem: str) -> None:
    """`pem` holds a certificate, its chain and its key; an empty text removes it.

    Also sets `client_certificate_expires_at`. Raises UnusableCertificate.
    """
    usable = certificates.read(pem) if pem else None
    oauth_app.sealed_client_certificate = _sealed(
        oauth_app, "client_certificate", usable.pem if usable else ""
    )
    oauth_app.client_certificate_expires_at = usable.expires_at if usable else None


def open_client_certificate(oauth_app: OAuthApp) -> ClientCertificate | None:
    """Ready for one TLS context: its key is encrypted anew each time."""
    sealed = oauth_app.sealed_client_certificate
    if not sealed:
        return None
    return certificates.for_one_context(
        _opened(oauth_app, "client_certificate", sealed)
    )


def _sealed(oauth_app: OAuthApp, purpose: str, text: str) -> bytes:
    return seal(text, binding=app_binding(oauth_app, purpose)) if text else b""


def _opened(oauth_app: OAuthApp, purpose: str, sealed: bytes | memoryview) -> str:
    return open_sealed(sealed, binding=app_binding(oauth_app, purpose))


def app_binding(oauth_app: OAuthApp, purpose: str) -> Binding:
    """Where a secret belongs; `purpose` is its column without `sealed_`."""
    return Binding(purpose=purpose, table="oauth_app", record=oauth_app.provider_id)
