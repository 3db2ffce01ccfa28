"""The steps of a probe in words: what was found, the cure, and who may know.

People of an organization choose the addresses that are probed, so a step must not
tell them what else listens there: that the port is closed, that nobody answers or
that something other than Confluence does reads the same (threat S15). Operators, on
the command line, see everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from confluence_link.errors import TransportError
from confluence_link.http import BlockedAddress, UntrustedCertificate

if TYPE_CHECKING:
    from collections.abc import Iterable

ADDRESS: Final = "Address"
NAME: Final = "Name"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at; `cure` is empty if it is as it should be.

    `hint` is for operators only. `problem` is a word for what only the operator can
    permit (`address`, `port`, `scheme`, `proxy`). A step that is `telling` says
    something about a machine that perhaps is no Confluence.
    """

    name: str
    found: str
    cure: str = ""
    hint: str = ""
    problem: str = ""
    telling: bool = False


def for_everyone(steps: Iterable[Step]) -> list[Step]:
    """The steps as people of an organization may see them."""
    shown = list(steps)
    if any(step.telling for step in shown):
        shown = [step for step in shown if step.name in {ADDRESS, NAME}]
        shown.append(_NO_CONFLUENCE)
    return [replace(step, hint="") for step in shown]


def why_blocked(detail: str) -> str:
    """What to do about an address that the guard refuses."""
    return _BLOCKED[detail]


def operators_hint(detail: str) -> str:
    """What an operator may do about it besides; names settings."""
    return _HINTS.get(detail, "")


def blocked(name: str, error: BlockedAddress) -> Step:
    detail = error.detail
    problem = detail if detail in _HINTS else ""
    return Step(name, "refused", _BLOCKED[detail], _HINTS.get(detail, ""), problem)


def way_to(
    error: TransportError | None, *, encrypted: bool, proxied: bool
) -> list[Step]:
    """The steps from the name to the first byte of an answer, or to `error`."""
    # A proxy looks the name up, and opens the connection.
    passed = [Step("Proxy", "lets through")]
    if not proxied:
        passed = [Step(NAME, "known"), Step("Connection", "open")]
    passed.append(Step("TLS", "trusted" if encrypted else "none"))
    if error is None:
        return passed
    failed = _failed(error)
    if error.sent:
        return [*passed, failed]
    names = [step.name for step in passed]
    before = names.index(failed.name) if failed.name in names else 0
    return [*passed[:before], failed]


def _failed(error: TransportError) -> Step:
    if isinstance(error, BlockedAddress):
        return blocked("Proxy" if error.detail == "proxy" else NAME, error)
    if isinstance(error, UntrustedCertificate):
        return Step("TLS", *_FLAWS[error.flaw])
    if error.sent and error.reason == "tls":
        # After its own certificate was trusted, so this tells of no foreign machine.
        return Step("Client certificate", "refused", _NOT_KNOWN)
    if error.sent:
        return Step("Answer", error.reason, _NO_HTTP, telling=True)
    name, cure = _NO_ANSWER.get(error.reason, ("Connection", _NO_HTTP))
    telling = error.reason not in {"dns", "proxy"}
    return Step(name, error.reason, cure, telling=telling)


# Words
# ------------------------------------------------------------------------------
_NO_CONFLUENCE: Final = Step(
    "Confluence",
    "none answers here",
    "Enter the address that the browser shows on the dashboard, without"
    " /dashboard.action, with the context path if there is one. If that is what you"
    " entered: check that the server runs, speaks TLS there, and that the firewalls"
    " between let this service through.",
)
_BLOCKED: Final = {
    "characters": "Remove blanks, backslashes and invisible characters.",
    "scheme": "Start with https://.",
    "userinfo": "Leave the user name and the @ out.",
    "host": "This is no host name or address.",
    "port": "Only ports 443 and 8443 may be used. For another port the operator of"
    " this service must allow the server.",
    "path": "After the host there is only the context path, such as /confluence.",
    "query": "Leave everything from ? or # on out.",
    "address": "This server is not on the public internet: the operator of this"
    " service must allow it.",
    "proxy": "The proxy is not on the public internet, or on an unusual port: the"
    " operator of this service must allow it.",
}
_HINTS: Final = {
    "scheme": "Plain http needs CONFLUENCE_LINK_ALLOW_HTTP.",
    "port": "Enter host and port as allowed private host, for instance"
    " wiki.example.com:8090, at the OAuth app or in"
    " CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS.",
    "address": "Enter its host or network as allowed private host at the OAuth app or"
    " in CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS.",
    "proxy": "Enter the proxy's host or network as allowed private host at the OAuth"
    " app or in CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS.",
}
_NOT_KNOWN: Final = (
    "The server asks for a client certificate. Enter one that it knows, or a new one if"
    " that has expired."
)
_NO_HTTP: Final = "What answers there does not speak HTTP as Confluence does."
_NO_ANSWER: Final = {
    "dns": (
        NAME,
        "The name is not known here. Check its spelling; a name of an internal"
        " network must be known to this service too.",
    ),
    "connect": (
        "Connection",
        "Nobody answers there. Check the port, and the firewalls between.",
    ),
    "proxy": (
        "Proxy",
        "The proxy does not let this service through to the server, or is not there."
        " Check its address, its user name and password, and the server's name.",
    ),
    "tls": (
        "TLS",
        "There is no TLS of this century: version 1.2 or later is needed, with a"
        " certificate. If the server asks for a client certificate, enter one.",
    ),
    "timeout": (
        "Connection",
        "No answer in time. Check the load of the server, and the firewalls.",
    ),
}
# What was found, and the cure.
_FLAWS: Final = {
    "expired": (
        "expired",
        "The server's certificate has expired, or does not hold yet. Its"
        " administrator must renew it.",
    ),
    "name": (
        "another name",
        "The server's certificate is for another name. Enter the name that is in it,"
        " or have it made for this one.",
    ),
    "chain": (
        "not trusted",
        "The server's certificate is not trusted. If it comes from an authority of"
        " your own, enter that authority's certificate as CA bundle. If not, the server"
        " may leave out the certificates between its own and the authority's.",
    ),
}
