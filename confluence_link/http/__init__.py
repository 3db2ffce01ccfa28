"""The only door to the network: one guard, one guarded session.

Everything else in this project that wants an answer from elsewhere calls
`GuardedSession.send` and gets an `Answer` or a `TransportError`.
"""

from __future__ import annotations

from confluence_link.http.answer import Answer
from confluence_link.http.deadline import Deadline
from confluence_link.http.guard import (
    check_base_url,
    check_proxy_url,
    unreadable_entries,
)
from confluence_link.http.multiplex import Multiplex, Post, multiplex
from confluence_link.http.policy import NetworkPolicy, Proxy
from confluence_link.http.session import GuardedSession
from confluence_link.http.target import BlockedAddress
from confluence_link.http.tls import (
    ClientCertificate,
    UntrustedCertificate,
    check_ca_bundle,
    check_client_certificate,
)

__all__ = [
    "Answer",
    "BlockedAddress",
    "ClientCertificate",
    "Deadline",
    "GuardedSession",
    "Multiplex",
    "NetworkPolicy",
    "Post",
    "Proxy",
    "UntrustedCertificate",
    "check_base_url",
    "check_ca_bundle",
    "check_client_certificate",
    "check_proxy_url",
    "multiplex",
    "unreadable_entries",
]
