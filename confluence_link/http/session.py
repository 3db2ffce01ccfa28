"""The guarded session: every request of this package leaves through `send`."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Self
from urllib.parse import unquote_to_bytes

import requests
from urllib3.exceptions import HTTPError

from confluence_link.errors import TransportError
from confluence_link.http.answer import Answer
from confluence_link.http.connection import GuardedAdapter
from confluence_link.http.deadline import Cutoff, Deadline
from confluence_link.http.dial import Exchange, Resolver, current, resolve
from confluence_link.http.guard import Guard
from confluence_link.http.policy import NetworkPolicy
from confluence_link.http.target import BlockedAddress, Target, read_target

# With the version of pyproject.toml, which is not installed with the code.
USER_AGENT = "confluence-link/0.1.0"

_PIECE_BYTES = 65_536
# What frames or routes a request is not for callers to set.
_OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)

# urllib3 logs whole URLs at DEBUG and unreadable heads at WARNING. A filter, unlike
# a level, also holds when a logging configuration is applied later.
for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(lambda record: False)


class GuardedSession:
    """Requests under one policy. Connections are kept until it is closed.

    Environment proxies, netrc, cookies, redirects, compression and retries do not
    exist here. One session serves one app; never share it between apps.
    """

    def __init__(self, policy: NetworkPolicy, *, resolver: Resolver = resolve) -> None:
        self.policy = policy
        self._guard = Guard(policy)
        self._resolver = resolver

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all kept connections; a later request opens new ones."""
        if "_adapter" in self.__dict__:
            self._adapter.close()

    @cached_property
    def _adapter(self) -> GuardedAdapter:
        return GuardedAdapter(self.policy)

    def send(
        self,
        method: str,
        url: str,
        *,
        deadline: Deadline,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        form: Mapping[str, str] | None = None,
        json: object | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One exchange. Any status is an Answer, redirects included.

        Raises TransportError, with `sent=False` only if surely no byte of the
        request left. Of `form`, `json` and `body` at most one is given.
        """
        request = requests.Request(
            method,
            url,
            headers=_with_ours(headers),
            params=params,
            data=body if form is None else form,
            json=json,
        )
        outcome = self._outcome(request, deadline, max_bytes)
        if isinstance(outcome, TransportError):
            # Without the inner frames, whose variables hold the whole request.
            raise outcome.with_traceback(None) from None
        return outcome

    def _outcome(
        self, request: requests.Request, deadline: Deadline, max_bytes: int
    ) -> Answer | TransportError:
        with Cutoff(deadline) as cutoff:
            exchange = Exchange(self._guard, self._resolver, deadline, cutoff)
            token = current.set(exchange)
            try:
                return self._exchange(request, exchange, max_bytes)
            except TransportError as error:
                return error
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                # Their texts quote URLs, headers and bodies: only the class counts.
                return _failure(error, exchange)
            finally:
                current.reset(token)

    def _exchange(
        self, request: requests.Request, exchange: Exchange, max_bytes: int
    ) -> Answer:
        prepared = _prepared(request, exchange.guard)
        seconds = exchange.deadline.remaining()
        if not seconds:
            raise TransportError("timeout", sent=False)
        response = self._adapter.send(prepared, stream=True, timeout=seconds)
        try:
            answer = _answer(response, max_bytes)
        except BaseException:
            response.raw.close()
            raise
        if exchange.cutoff.passed:
            # An answer that ends with its connection looks whole when we end it.
            raise TransportError("timeout", sent=True)
        return answer


def _with_ours(headers: Mapping[str, str] | None) -> dict[str, str]:
    theirs = {k: v for k, v in (headers or {}).items() if k.lower() not in _OURS}
    return {**theirs, "Accept-Encoding": "identity", "User-Agent": USER_AGENT}


def _failure(error: Exception, exchange: Exchange) -> TransportError:
    if exchange.sent:
        otherwise = "tls" if _is_tls_alert(error) else "reset"
        return TransportError(exchange.reason(otherwise), sent=True)
    is_ours = isinstance(error, ValueError)
    reason = "malformed" if is_ours else exchange.reason("connect")
    return TransportError(reason, sent=False)


def _is_tls_alert(error: BaseException | None) -> bool:
    """With TLS 1.3 a server refuses our certificate when we have begun to send."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return "ALERT" in str(error.reason)
        error = error.__context__
    return False


def _prepared(request: requests.Request, guard: Guard) -> requests.PreparedRequest:
    target = read_target(str(request.url))
    guard.check_target(target)
    request.url = target.url
    try:
        prepared = request.prepare()
    except (requests.RequestException, ValueError):
        raise TransportError("malformed", sent=False) from None
    # requests rewrites URLs, for instance `%2e%2e` to `..`: judge its result again.
    if not _is_same_place(target, read_target(prepared.url or "")):
        raise BlockedAddress("path")
    return prepared


def _is_same_place(asked: Target, prepared: Target) -> bool:
    is_same_path = unquote_to_bytes(asked.path or "/") == unquote_to_bytes(
        prepared.path
    )
    return asked.origin == prepared.origin and is_same_path


def _answer(response: requests.Response, max_bytes: int) -> Answer:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise TransportError("encoded", sent=True)
    body = bytearray()
    while piece := response.raw.read(_PIECE_BYTES, decode_content=False):
        body += piece
        if len(body) > max_bytes:
            raise TransportError("too_large", sent=True)
    return Answer(response.status_code, response.headers, bytes(body))
