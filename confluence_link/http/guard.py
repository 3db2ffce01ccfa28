"""What may be connected to: hosts, ports and addresses judged under a policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import chain

from confluence_link.http.addresses import (
    Address,
    Network,
    kind_of,
    read_address,
    unwrapped,
)
from confluence_link.http.policy import NetworkPolicy
from confluence_link.http.target import BlockedAddress, Target, host_and_port, parsed

_BASE_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?")
_USUAL_PORTS = frozenset({443, 8443})
_PROXY_PORTS = frozenset({443, 8443, 3128, 8080})
_INTERNAL_SUFFIXES = (".localhost", ".internal", ".local", ".localdomain", ".home.arpa")


def check_base_url(url: str, policy: NetworkPolicy) -> str:
    """The one notation of a site's base URL, without a slash at the end.

    Raises BlockedAddress. Looks no name up: that happens at every connection.
    """
    target = parsed(url)
    if target.query:
        raise BlockedAddress("query")
    if not _BASE_PATH.fullmatch(target.path):
        raise BlockedAddress("path")
    Guard(policy).check_target(target)
    return target.origin + target.path.rstrip("/")


def check_proxy_url(url: str, policy: NetworkPolicy) -> str:
    """The one notation of a proxy's address; raises BlockedAddress."""
    return read_proxy(url, policy).origin


def read_proxy(url: str, policy: NetworkPolicy) -> Target:
    """Where a proxy is; http or https, and nothing but host and port."""
    target = parsed(url)
    if target.query:
        raise BlockedAddress("query")
    if target.path not in {"", "/"}:
        raise BlockedAddress("path")
    proxy_guard(policy).check_target(target)
    return target


def proxy_guard(policy: NetworkPolicy) -> Guard:
    """The same rules for the proxy itself, with the ports that proxies have."""
    plain = NetworkPolicy(allow_http=True, allowed=policy.allowed)
    return Guard(plain, ports=_PROXY_PORTS)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One thing that the operator allows; port None stands for any port."""

    port: int | None
    network: Network | None = None
    name: str = ""


# This machine by its name and by its addresses: whoever lists one means all.
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def _spelled_out(text: str) -> Iterator[str]:
    """The entry itself, or this machine in each of its spellings."""
    for name in _LOOPBACK:
        if text == name or text.startswith(f"{name}:"):
            yield from (other + text.removeprefix(name) for other in _LOOPBACK)
            return
    yield text


def _entries(policy: NetworkPolicy) -> Iterator[_Entry]:
    texts = (text.strip() for text in policy.allowed)
    for text in chain.from_iterable(map(_spelled_out, texts)):
        try:
            yield _Entry(None, network=ip_network(text.strip("[]"), strict=False))
            continue
        except ValueError:
            pass
        try:
            host, port = host_and_port(text, 0)
        except BlockedAddress:
            # What cannot be read allows nothing.
            continue
        address = read_address(host)
        network = ip_network(address) if address is not None else None
        yield _Entry(port or None, network=network, name=host)


def unreadable_entries(texts: Iterable[str]) -> list[str]:
    """Those that would allow nothing, for whoever enters them."""
    return [t for t in texts if not list(_entries(NetworkPolicy(allowed=(t,))))]


class Guard:
    """Says no by raising BlockedAddress, for one policy."""

    def __init__(
        self, policy: NetworkPolicy, *, ports: frozenset[int] | None = None
    ) -> None:
        self.policy = policy
        self._entries = tuple(_entries(policy))
        usual = _USUAL_PORTS | ({80} if policy.allow_http else set())
        self._ports = usual if ports is None else ports

    def check_target(self, target: Target) -> None:
        """Everything that can be said without looking the name up."""
        if target.scheme != "https" and not self.policy.allow_http:
            raise BlockedAddress("scheme")
        address = read_address(target.host)
        if address is not None:
            self.check_address(target.host, target.port, address)
        elif not self._names(target.host, target.port):
            self._check_unlisted(target.host, target.port)

    def check_address(self, host: str, port: int, address: Address) -> None:
        """Whether a connection for `host` may go to this one of its addresses."""
        if self._in_listed_network(address, port):
            return
        kind = kind_of(address)
        if self._names(host, port):
            allowed = {"public", "private", *_loopback_of(host)}
        elif port not in self._ports:
            raise BlockedAddress("port")
        else:
            allowed = set() if _is_internal(host) else {"public"}
        if kind not in allowed:
            raise BlockedAddress("address")

    def _check_unlisted(self, host: str, port: int) -> None:
        # A listed network may still let this name in when it is looked up. A proxy
        # looks it up out of our sight.
        networks = (entry for entry in self._entries if entry.network)
        is_looked_up = self.policy.proxy is None
        if is_looked_up and any(one.port in {None, port} for one in networks):
            return
        if port not in self._ports:
            raise BlockedAddress("port")
        if _is_internal(host):
            raise BlockedAddress("address")

    def _names(self, host: str, port: int) -> bool:
        return any(
            entry.name == host and entry.port in {None, port}
            for entry in self._entries
            if entry.network is None
        )

    def _in_listed_network(self, address: Address, port: int) -> bool:
        return any(
            address in entry.network or unwrapped(address) in entry.network
            for entry in self._entries
            if entry.network is not None and entry.port in {None, port}
        )


def _loopback_of(host: str) -> set[str]:
    is_localhost = host == "localhost" or host.endswith(".localhost")
    return {"loopback"} if is_localhost else set()


def _is_internal(host: str) -> bool:
    # A name of one label is completed by the local search list.
    if read_address(host) is not None:
        return False
    return "." not in host or host.endswith(_INTERNAL_SUFFIXES)
