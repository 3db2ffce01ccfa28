"""Connections that go to checked addresses only, and end at the deadline.

urllib3 is subclassed where it would look names up, trust a head that is not
well-formed, or send the first byte.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any, cast

from requests import Response
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import ssl_wrap_socket

from confluence_link.errors import TransportError
from confluence_link.http.dial import current, dial
from confluence_link.http.policy import NetworkPolicy
from confluence_link.http.strict_head import StrictHead
from confluence_link.http.tls import UntrustedCertificate, tls_context
from confluence_link.http.tunnel import open_tunnel


def _connected(host: str, port: int) -> socket.socket:
    exchange = current.get()
    if exchange.guard.policy.proxy is not None:
        return open_tunnel(host, port, exchange)
    return dial(
        host,
        port,
        exchange,
        lambda address: exchange.guard.check_address(host, port, address),
    )


class _Plain(HTTPConnection):
    """A connection that only goes where the guard lets it."""

    response_class = StrictHead

    def _new_conn(self) -> socket.socket:
        return _connected(self.host, self.port)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange = current.get()
        if not exchange.sent:
            # A kept connection was opened under an earlier request's deadline.
            exchange.cutoff.watch(self.sock)
            exchange.sent = True
        super().send(data)


class _Encrypted(_Plain, HTTPSConnection):
    """The same over TLS, with the name in SNI and looked for in the certificate."""

    def connect(self) -> None:
        # Kept before the handshake, so that it is closed if that fails.
        self.sock = below = self._new_conn()
        try:
            above = ssl_wrap_socket(
                below,
                ssl_context=self.ssl_context,
                server_hostname=self.host,
                # Our own tunnel may run inside of TLS with the proxy.
                tls_in_tls=isinstance(below, ssl.SSLSocket),
            )
        except ssl.SSLCertVerificationError as error:
            raise UntrustedCertificate(error.verify_code) from None
        except OSError:
            reason = current.get().reason("tls")
            raise TransportError(reason, sent=False) from None
        self.sock = cast(ssl.SSLSocket, above)
        self.is_verified = True


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _Encrypted


class GuardedAdapter(HTTPAdapter):
    """The transport of requests, over the connections above.

    It is used without a `requests.Session`: what follows redirects, keeps cookies
    and reads proxies, netrc and certificate paths from the environment is there.
    """

    def __init__(self, policy: NetworkPolicy) -> None:
        self._tls = tls_context(policy.ca_bundle, policy.client_certificate)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _PlainPool,
            "https": _EncryptedPool,
        }

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: requests would add the public roots to the context's own."""

    def build_response(self, req: Any, resp: Any) -> Response:
        """What `send` needs; requests would read and keep cookies here."""
        response = Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        return response
