"""Looks at a Data Center base URL before anybody links: each step, and its cure.

Needs no account: the server's state and its manifest are open to everyone. Texts of
the server are not repeated, except its version and its own address.
Reference: https://jira.atlassian.com/browse/CONFSERVER-102144
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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

_BLOCKED: Final = {
    "characters": "Remove blanks, backslashes and invisible characters.",
    "scheme": "Start with https://. Plain http needs CONFLUENCE_LINK_ALLOW_HTTP.",
    "userinfo": "Leave the user name and the @ out.",
    "host": "This is no host name or address.",
    "port": "Only ports 443 and 8443 may be used. Others need an entry in"
    " CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS, for instance wiki.example.com:8090.",
    "path": "After the host there is only the context path, such as /confluence.",
    "query": "Leave everything from ? or # on out.",
    "address": "The server is not on the public internet. If that is right, enter its"
    " host or network in CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS.",
}
_NO_ANSWER: Final = {
    "dns": "The name is not known. Check its spelling, and the name servers here.",
    "connect": "Nobody answers there. Check the port, and the firewalls between.",
    "tls": "The certificate is not trusted, not for this name, or expired. If the"
    " server has one of your own authority, enter that authority's certificate as CA"
    " bundle of the app.",
    "timeout": "No answer in time. Check the load of the server, and the firewalls.",
}
_STATES: Final = {
    "STARTING": "It is starting: try again in a few minutes.",
    "FIRST_RUN": "It is not set up yet: finish Confluence's own set-up.",
    "STOPPING": "It is being stopped.",
    "MAINTENANCE": "It is in maintenance: try again when that is over.",
    "ERROR": "Confluence itself reports an error: see its log.",
}
_XML_FIELD = re.compile(r"<(typeId|version|url)>\s*([^<\s]{1,500})\s*</")
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})[\w.-]{0,30}")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at; `cure` is empty if it is as it should be."""

    name: str
    found: str
    cure: str = ""


def why_blocked(detail: str) -> str:
    """What to do about a base URL that the guard refuses."""
    return _BLOCKED[detail]


def probe(base_url: str, policy: NetworkPolicy) -> Iterator[Step]:
    """The steps in order; the first one with a cure is the last."""
    try:
        base_url = check_base_url(base_url, policy)
    except BlockedAddress as blocked:
        yield Step("Address", "refused", why_blocked(blocked.detail))
        return
    yield Step("Address", base_url)
    with GuardedSession(policy) as session:
        try:
            yield from _ask(base_url, session, Deadline(SECONDS), policy)
        except TransportError as error:
            yield Step("Connection", error.reason, _transport_cure(error))


def _ask(
    base_url: str, session: GuardedSession, deadline: Deadline, policy: NetworkPolicy
) -> Iterator[Step]:
    def get(path: str) -> Answer:
        return session.send(
            "GET",
            f"{base_url}{path}",
            deadline=deadline,
            max_bytes=MAX_BYTES,
            headers={"Accept": "application/json"},
        )

    status = get("/status")
    yield Step("Connection", "open" if base_url.startswith("http:") else "open, by TLS")
    state = _state(status)
    yield state
    if state.cure:
        return
    for step in _manifest(get("/rest/applinks/1.0/manifest"), base_url, policy):
        yield step
        if step.cure:
            return


def _transport_cure(error: TransportError) -> str:
    if isinstance(error, BlockedAddress):
        return why_blocked(error.detail)
    return _NO_ANSWER.get(
        error.reason, "What answers there does not speak HTTP as Confluence does."
    )


def _state(answer: Answer) -> Step:
    if 300 <= answer.status < 400:
        cure = "It sends browsers elsewhere: enter the address where they end up."
        return Step("State", f"redirected ({answer.status})", cure)
    state = _json_fields(answer).get("state", "")
    if state == "RUNNING":
        return Step("State", state)
    if state in _STATES:
        return Step("State", state, _STATES[state])
    cure = (
        "This is no Confluence, or its context path is missing: enter the address that"
        " the browser shows on the dashboard, without /dashboard.action."
    )
    return Step("State", f"unreadable ({answer.status})", cure)


def _manifest(answer: Answer, base_url: str, policy: NetworkPolicy) -> Iterator[Step]:
    fields = _json_fields(answer) or _xml_fields(answer)
    if fields.get("typeId") != "confluence":
        cure = "No manifest of Confluence. A proxy before it must let /rest/ through."
        yield Step("Product", f"unreadable ({answer.status})", cure)
        return
    yield Step("Product", "Confluence")
    yield _version(fields.get("version", ""))
    yield _own_address(fields.get("url", ""), base_url, policy)


def _version(text: str) -> Step:
    match = _VERSION.fullmatch(text)
    if match is None:
        return Step("Version", "unreadable", "Confluence 7.17 or later is needed.")
    if (int(match[1]), int(match[2])) < OLDEST:
        return Step("Version", text, "Too old: OAuth 2.0 came with Confluence 7.17.")
    return Step("Version", text)


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
    # Three plain elements of a manifest that ignored our Accept header; a parser of
    # whole XML would bring its entities along.
    return dict(_XML_FIELD.findall(answer.body.decode("utf-8", "replace")))
