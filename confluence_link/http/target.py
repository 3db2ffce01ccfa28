"""URLs parsed strictly, without judging where they lead.

Data Center base URLs come from people, so nothing here is lenient: what two
parsers could read differently is refused.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

import idna

from confluence_link.errors import TransportError
from confluence_link.http.addresses import read_address

# `proxy`: where the proxy is, not the target.
Detail = Literal[
    "characters",
    "scheme",
    "userinfo",
    "host",
    "port",
    "path",
    "query",
    "address",
    "proxy",
]

_SCHEME = re.compile(r"(https?)://(.*)", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:%]+)(?::([0-9]*))?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# A last label that starts with a digit makes resolvers read the whole name as a
# number in some notation; no top-level domain has one.
_NUMERIC = re.compile(r"[0-9]")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,=:@%-]*)*")
_QUERY = re.compile(r"[\x21-\x7e]*")
_BAD_IN_SEGMENT = re.compile(r"[/\\;%\x00-\x1f\x7f]")

_MAX_LENGTH = 8192
_DEFAULT_PORTS = {"https": 443, "http": 80}


class BlockedAddress(TransportError):
    """The guard refused, before any byte left. `detail` names the rule."""

    def __init__(self, detail: Detail) -> None:
        super().__init__("blocked", sent=False)
        self.detail: Detail = detail


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that can be read in one way only; `path` and `query` as given."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and, unless it is the usual one, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port == _DEFAULT_PORTS[self.scheme]:
            return f"{self.scheme}://{host}"
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def place(self) -> str:
        """Host and port, as CONNECT wants them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole in its one notation."""
        return self.origin + self.path + ("?" if self.query else "") + self.query


def read_target(url: str) -> Target:
    """The parts of a request's URL; raises BlockedAddress. Judges no host."""
    target = parsed(url)
    if not _PATH.fullmatch(target.path) or "//" in target.path:
        raise BlockedAddress("path")
    if not all(map(_harmless, target.path.split("/"))):
        raise BlockedAddress("path")
    if not _QUERY.fullmatch(target.query):
        raise BlockedAddress("query")
    return target


def _harmless(segment: str) -> bool:
    # Servers and proxies decode, some twice, some with compatibility forms.
    plain = unicodedata.normalize("NFKC", unquote(segment))
    return plain not in {".", ".."} and not _BAD_IN_SEGMENT.search(plain)


def parsed(url: str) -> Target:
    if len(url) > _MAX_LENGTH or "\\" in url or not _is_visible(url):
        raise BlockedAddress("characters")
    match = _SCHEME.fullmatch(url)
    if match is None:
        raise BlockedAddress("scheme")
    scheme, rest = match[1].lower(), match[2]
    rest, mark, query = rest.partition("?")
    if "#" in url or (mark and not query):
        raise BlockedAddress("query")
    authority, slash, path = rest.partition("/")
    host, port = host_and_port(authority, _DEFAULT_PORTS[scheme])
    return Target(scheme, host, port, slash + path, query)


def _is_visible(url: str) -> bool:
    return not any(c.isspace() or not c.isprintable() for c in url)


def host_and_port(authority: str, default_port: int) -> tuple[str, int]:
    if "@" in authority:
        raise BlockedAddress("userinfo")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise BlockedAddress("host")
    host = canonical_host(match[1])
    if match[2] is None:
        return host, default_port
    if not _PORT.fullmatch(match[2]) or int(match[2]) > 65535:
        raise BlockedAddress("port")
    return host, int(match[2])


def canonical_host(text: str) -> str:
    """Lower case, punycode, addresses in short form without brackets."""
    address = read_address(text.strip("[]"))
    if address is not None and (address.version == 6) == text.startswith("["):
        return str(address)
    name = _ascii_name(text.lower().removesuffix("."))
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise BlockedAddress("host")
    if _NUMERIC.match(labels[-1]):
        raise BlockedAddress("host")
    return name


def _ascii_name(name: str) -> str:
    if name.isascii():
        return name
    try:
        return idna.encode(name).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise BlockedAddress("host") from None
