"""Looks at a Data Center base URL before anybody links, step by step.

Needs no account: the server's state and its manifest are open to everyone. Texts of
the server are not repeated, except its version, its id and its own address.
Reference: https://jira.atlassian.com/browse/CONFSERVER-102144
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.conf import settings

from confluence_link.atlassian.probe_steps import ADDRESS, Step, blocked, way_to
from confluence_link.errors import TransportError
from confluence_link.http import (
    BlockedAddress,
    Deadline,
    GuardedSession,
    check_base_url,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluence_link.http import Answer, NetworkPolicy

# The first release with an OAuth 2.0 provider.
OLDEST: Final = (7, 17)
SECONDS: Final = 15
MAX_BYTES: Final = 64 * 1024
VERSION: Final = "Version"
SERVER_ID: Final = "Server id"

_STATES: Final = {
    "STARTING": "It is starting: try again in a few minutes.",
    "FIRST_RUN": "It is not set up yet: finish Confluence's own set-up.",
    "STOPPING": "It is being stopped.",
    "MAINTENANCE": "It is in maintenance: try again when that is over.",
    "ERROR": "Confluence itself reports an error: see its log.",
}
_XML_FIELD = re.compile(r"<(id|typeId|version|url)>\s*([^<\s]{1,500})\s*</")
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})[\w.-]{0,30}", re.ASCII)
_SERVER_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)


def probe(
    base_url: str, policy: NetworkPolicy, *, known_id: str = ""
) -> Iterator[Step]:
    """The steps in order; the first one with a cure is the last.

    `known_id` is the id of the server that is expected, if one is.
    """
    try:
        base_url = check_base_url(base_url, policy)
    except BlockedAddress as error:
        yield blocked(ADDRESS, error)
        return
    yield Step(ADDRESS, base_url)
    with GuardedSession(policy) as session:
        for step in _Probe(session, base_url, policy, known_id).steps():
            yield step
            if step.cure:
                return


@dataclass(frozen=True, slots=True)
class _Probe:
    session: GuardedSession
    base_url: str
    policy: NetworkPolicy
    known_id: str
    deadline: Deadline = field(default_factory=lambda: Deadline(SECONDS))

    def steps(self) -> Iterator[Step]:
        status = self._get("/status")
        yield from self._way(status)
        if isinstance(status, TransportError):
            return
        yield _state(status)
        manifest = self._get("/rest/applinks/1.0/manifest")
        if isinstance(manifest, TransportError):
            yield self._way(manifest)[-1]
            return
        fields = _json_fields(manifest) or _xml_fields(manifest)
        yield _product(fields.get("typeId", ""), manifest.status)
        yield _version(fields.get("version", ""))
        yield _server_id(fields.get("id", ""), self.known_id)
        yield _own_address(fields.get("url", ""), self.base_url, self.policy)
        yield _https(self.base_url)

    def _get(self, path: str) -> Answer | TransportError:
        try:
            return self.session.send(
                "GET",
                f"{self.base_url}{path}",
                deadline=self.deadline,
                max_bytes=MAX_BYTES,
                headers={"Accept": "application/json"},
            )
        except TransportError as error:
            return error

    def _way(self, outcome: Answer | TransportError) -> list[Step]:
        return way_to(
            outcome if isinstance(outcome, TransportError) else None,
            encrypted=self.base_url.startswith("https:"),
            proxied=self.policy.proxy is not None,
        )


def _state(answer: Answer) -> Step:
    if 300 <= answer.status < 400:
        cure = "It sends browsers elsewhere: enter the address where they end up."
        found = f"redirected ({answer.status})"
        return Step("State", found, cure, telling=True)
    state = _json_fields(answer).get("state", "")
    if state == "RUNNING":
        return Step("State", state)
    if state in _STATES:
        return Step("State", state, _STATES[state])
    cure = (
        "This is no Confluence, or its context path is missing: enter the address that"
        " the browser shows on the dashboard, without /dashboard.action."
    )
    return Step("State", f"unreadable ({answer.status})", cure, telling=True)


def _product(type_id: str, status: int) -> Step:
    if type_id == "confluence":
        return Step("Product", "Confluence")
    cure = "No manifest of Confluence. A proxy before it must let /rest/ through."
    return Step("Product", f"unreadable ({status})", cure)


def _version(text: str) -> Step:
    match = _VERSION.fullmatch(text)
    if match is None:
        return Step(VERSION, "unreadable", "Confluence 7.17 or later is needed.")
    if (int(match[1]), int(match[2])) < OLDEST:
        return Step(VERSION, text, "Too old: OAuth 2.0 came with Confluence 7.17.")
    return Step(VERSION, text)


def _server_id(text: str, known_id: str) -> Step:
    if not _SERVER_ID.fullmatch(text):
        cure = "Its manifest has no id. A proxy before it must not change its answers."
        return Step(SERVER_ID, "unreadable", cure)
    if known_id and text != known_id:
        cure = (
            "Another server than before answers here, which does not know the people"
            " who linked. If it took the old one's place for good, add it as a new one."
        )
        return Step(SERVER_ID, text, cure)
    return Step(SERVER_ID, text)


def _own_address(url: str, base_url: str, policy: NetworkPolicy) -> Step:
    try:
        own = check_base_url(url, policy)
    except BlockedAddress:
        own = "another address"
    if own == base_url:
        return Step("Its own address", own)
    cure = (
        "Enter that one, or correct General Configuration > Server Base URL there:"
        " people would be sent to and fro between the two."
    )
    return Step("Its own address", own, cure)


def _https(base_url: str) -> Step:
    """Confluence refuses plain http unless its administrator set a property.

    What the operator of this service allowed is no reason to stop here.
    """
    plain = [
        name
        for name, url in (("base", base_url), ("redirect", settings.PUBLIC_URL))
        if not url.startswith("https:")
    ]
    if not plain:
        return Step("https", "on both sides")
    found = f"not for the {' and the '.join(plain)} URL: the server must allow that"
    return Step("https", found)


def _json_fields(answer: Answer) -> dict[str, str]:
    """The texts at the top of a JSON object; nothing if it is none."""
    try:
        body = answer.json()
    except TransportError:
        return {}
    if not isinstance(body, dict):
        return {}
    return {name: text for name, text in body.items() if isinstance(text, str)}


def _xml_fields(answer: Answer) -> dict[str, str]:
    # Plain elements of a manifest that ignored our Accept header; a parser of whole
    # XML would bring its entities along.
    return dict(_XML_FIELD.findall(answer.body.decode("utf-8", "replace")))
