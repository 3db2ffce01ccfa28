"""A tunnel through the app's own proxy, opened before the request begins.

The proxy is reached as any other place is: parsed strictly, looked up once, judged.
It gets the target's name and port and its own credentials, and nothing of the request;
TLS with the target runs inside of the tunnel.
Reference: https://www.rfc-editor.org/rfc/rfc9110#name-connect
"""

from __future__ import annotations

import base64
import re
import socket

from confluence_link.errors import TransportError
from confluence_link.http.dial import Exchange, dial
from confluence_link.http.guard import proxy_guard, read_proxy
from confluence_link.http.policy import NetworkPolicy, Proxy
from confluence_link.http.target import BlockedAddress, Target
from confluence_link.http.tls import proxy_tls_context

_MAX_HEAD_BYTES = 16_384
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [\t\x20-\x7e\x80-\xff]*)?")
_FIELD_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")


def open_tunnel(host: str, port: int, exchange: Exchange) -> socket.socket:
    """A connection to the target, whose name the proxy looks up.

    Raises TransportError with `sent=False`: `proxy`, `timeout` or `blocked`.
    """
    policy = exchange.guard.policy
    assert policy.proxy is not None
    connection: socket.socket | None = None
    try:
        door = read_proxy(policy.proxy.url, policy)
        connection = _reached(door, policy, exchange)
        target = Target("https", host, port, "")
        connection.sendall(_request(target, policy.proxy))
        _check(_head(connection))
    except (TransportError, OSError) as error:
        if connection is not None:
            connection.close()
        failure = _failure(error, exchange)
    else:
        return connection
    # Raised outside of the handler: what the proxy said hangs on no context.
    raise failure


def _reached(door: Target, policy: NetworkPolicy, exchange: Exchange) -> socket.socket:
    guard = proxy_guard(policy)
    connection = dial(
        door.host,
        door.port,
        exchange,
        lambda address: guard.check_address(door.host, door.port, address),
    )
    if door.scheme == "http":
        return connection
    context = proxy_tls_context(policy.ca_bundle)
    try:
        return context.wrap_socket(connection, server_hostname=door.host)
    except OSError:
        connection.close()
        raise


def _request(target: Target, proxy: Proxy) -> bytes:
    lines = [f"CONNECT {target.place} HTTP/1.1", f"Host: {target.place}"]
    if proxy.credentials:
        basic = base64.b64encode(proxy.credentials.encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {basic}")
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii")


def _head(connection: socket.socket) -> bytes:
    """Byte by byte: what follows the head belongs to the target."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece or len(head) == _MAX_HEAD_BYTES:
            raise ConnectionResetError
        head += piece
    return bytes(head)


def _check(head: bytes) -> None:
    first, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    match = _STATUS_LINE.fullmatch(first)
    is_well_formed = match is not None and all(map(_FIELD_LINE.fullmatch, fields))
    if match is None or not is_well_formed or not 200 <= int(match[1]) < 300:
        raise TransportError("proxy", sent=False)


def _failure(error: TransportError | OSError, exchange: Exchange) -> TransportError:
    if isinstance(error, BlockedAddress):
        return BlockedAddress("proxy")
    return TransportError(exchange.reason("proxy"), sent=False)
