"""NetworkPolicy: how the traffic of one app leaves, and what it may reach."""

from __future__ import annotations

from dataclasses import dataclass, field

from confluence_link.http.tls import ClientCertificate


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; `credentials` are `user:password`, or empty."""

    url: str
    credentials: str = field(default="", repr=False)

    def __reduce__(self) -> str:
        raise TypeError("a password cannot be pickled")


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """What the traffic of one app may reach beyond public https sites, and how.

    `allowed` takes names, addresses and networks, names and addresses with or
    without a port. `ca_bundle` (PEM) replaces the public certificate roots.
    """

    allow_http: bool = False
    allowed: tuple[str, ...] = ()
    ca_bundle: str = ""
    client_certificate: ClientCertificate | None = field(default=None, repr=False)
    proxy: Proxy | None = field(default=None, repr=False)
