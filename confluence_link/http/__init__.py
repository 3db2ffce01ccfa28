"""The only door to the network: one guard, one guarded session.

Everything else in this project that wants an answer from elsewhere calls
`GuardedSession.send` and gets an `Answer` or a `TransportError`.
"""

from __future__ import annotations

from confluence_link.http.answer import Answer
from confluence_link.http.connection import check_ca_bundle
from confluence_link.http.deadline import Deadline
from confluence_link.http.guard import NetworkPolicy, check_base_url
from confluence_link.http.session import GuardedSession
from confluence_link.http.target import BlockedAddress

__all__ = [
    "Answer",
    "BlockedAddress",
    "Deadline",
    "GuardedSession",
    "NetworkPolicy",
    "check_base_url",
    "check_ca_bundle",
]
