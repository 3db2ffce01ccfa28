"""Which IP addresses are public, private or never to be reached.

The tables are our own because `ipaddress.is_global` changes between Python
releases and passes translated, site-local and multicast addresses.
Reference: https://www.iana.org/assignments/iana-ipv4-special-registry/
Reference: https://www.iana.org/assignments/iana-ipv6-special-registry/
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Literal

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Kind = Literal["public", "private", "loopback", "forbidden"]


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
# Where clouds keep their credentials; three of them lie inside private networks.
_METADATA = _networks(
    "169.254.0.0/16",
    "100.100.100.200/32",
    "192.0.0.192/32",
    "fe80::/10",
    "fd00:ec2::254/128",
)
_PRIVATE = _networks(
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
)
# 2001::/23 holds Teredo and 2002::/16 is 6to4: both lead to an IPv4 address that
# somebody else unwraps, and no living site needs them.
_SPECIAL = _networks(
    "0.0.0.0/8",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
)
# All that IANA has given out for the public IPv6 internet. It leaves out IPv4-
# compatible (::/96), translated (::ffff:0:0:0/96), site-local and multicast.
_GLOBAL_UNICAST = ip_network("2000::/3")
# RFC 6052: a gateway of the local network turns these into IPv4.
_NAT64 = ip_network("64:ff9b::/96")


def unwrapped(address: Address) -> Address:
    """The IPv4 address that a mapped or NAT64 address stands for, else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def kind_of(address: Address) -> Kind:
    """How far from here `address` is; everything odd is forbidden."""
    inner = unwrapped(address)
    if _within(inner, _LOOPBACK):
        return "loopback"
    if _within(inner, _METADATA) or _within(inner, _SPECIAL):
        return "forbidden"
    if _within(inner, _PRIVATE):
        return "private"
    if isinstance(inner, IPv6Address) and inner not in _GLOBAL_UNICAST:
        return "forbidden"
    return "public"


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def read_address(text: str) -> Address | None:
    """`text` as an address in its one strict notation, else None."""
    try:
        return ip_address(text)
    except ValueError:
        return None
