"""Many small exchanges at once, over one pool of kept-alive connections.

For the one hot path, refreshing against the operator's own Cloud token URL: one
thread with an event loop carries them all, at a fraction of what a guarded session
costs each. The operator's settings say where it goes, so no address is judged; all
else is as strict as there: TLS verified, no redirect, no proxy or netrc of the
environment, no cookie, no compression, byte caps, a deadline that ends the exchange,
nothing sent twice, and an error that says whether a byte may have left.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Final, TypeAlias

import aiohttp
import uvloop

from confluence_link.errors import TransportError
from confluence_link.http.answer import Answer
from confluence_link.http.deadline import Deadline
from confluence_link.http.session import USER_AGENT
from confluence_link.http.tls import tls_context

logger = logging.getLogger(__name__)

AT_ONCE: Final = 100
# A connection that was idle for longer may be closed at the other end.
IDLE_SECONDS: Final = 10
CONNECT_SECONDS: Final = 10
_HEAD_BYTES: Final = 32_768
_PIECE_BYTES: Final = 16_384

_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": USER_AGENT,
}

# Surely before any byte of a request: the name, the connection, the handshake.
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


@dataclass(frozen=True, slots=True)
class Post:
    """One request. The body is JSON or a form, encoded already."""

    url: str
    body: bytes = field(repr=False)
    content_type: str
    deadline: Deadline
    max_bytes: int

    def __reduce__(self) -> str:
        raise TypeError("a request with a secret in it cannot be pickled")


Outcome: TypeAlias = Answer | TransportError
Done: TypeAlias = Callable[[int, Outcome], None]
Task: TypeAlias = "asyncio.Task[Outcome]"


class Multiplex:
    """A thread of its own, as long as the process lives.

    Raises TransportError if its loop cannot begin, as where no file may be opened.
    """

    def __init__(self, *, ca_bundle: str = "", at_once: int = AT_ONCE) -> None:
        self._tls = tls_context(ca_bundle)
        self._at_once = at_once
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=self._serve, name="multiplex", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        if not hasattr(self, "_loop"):
            self._thread.join()
            raise TransportError("connect", sent=False)

    def send(self, posts: Iterable[Post], *, done: Done) -> None:
        """Begins them all; `done` is called with each one's place and outcome.

        It is called in the thread that carries the others, so it must be quick.
        """
        self._loop.call_soon_threadsafe(self._begin, list(enumerate(posts)), done)

    def close(self) -> None:
        """Ends what is under way, and the connections."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    # In the thread of the loop
    # --------------------------------------------------------------------------
    def _serve(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._live())
        finally:
            # Also if it could not even begin: nobody waits for ever.
            self._ready.set()

    async def _live(self) -> None:
        connector = aiohttp.TCPConnector(
            limit=self._at_once, ssl=self._tls, keepalive_timeout=IDLE_SECONDS
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            # `_begin` ends what takes too long, with one timer for many.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            auto_decompress=False,
            trust_env=False,
            max_line_size=_HEAD_BYTES,
            max_field_size=_HEAD_BYTES,
        ) as self._session:
            self._loop = asyncio.get_running_loop()
            self._places = asyncio.Semaphore(self._at_once)
            self._over = asyncio.Event()
            self._ready.set()
            await self._over.wait()

    def _begin(self, waiting: list[tuple[int, Post]], done: Done) -> None:
        under_way: dict[Deadline, tuple[set[Task], asyncio.TimerHandle]] = {}
        for place, post in waiting:
            if post.deadline not in under_way:
                tasks: set[Task] = set()
                seconds = post.deadline.remaining()
                timer = self._loop.call_later(seconds, _cancel, tasks)
                under_way[post.deadline] = tasks, timer
            tasks, timer = under_way[post.deadline]
            task = self._loop.create_task(self._exchange(post))
            tasks.add(task)
            task.add_done_callback(partial(_ended, tasks, timer, place, done))

    async def _exchange(self, post: Post) -> Outcome:
        is_sent = False
        try:
            async with self._places:
                if not post.deadline.remaining():
                    return TransportError("timeout", sent=False)
                is_sent = True
                return await self._outcome(post)
        except asyncio.CancelledError:
            return TransportError("timeout", sent=is_sent)

    async def _outcome(self, post: Post) -> Outcome:
        try:
            return await self._answer(post)
        except TransportError as error:
            return error
        except aiohttp.ClientSSLError:
            return TransportError("tls", sent=False)
        except aiohttp.ClientConnectorDNSError:
            return TransportError("dns", sent=False)
        except _NOT_SENT:
            return TransportError("connect", sent=False)
        except TimeoutError:
            return TransportError("timeout", sent=True)
        except aiohttp.ClientPayloadError:
            return TransportError("reset", sent=True)
        except aiohttp.ClientResponseError:
            return TransportError("malformed", sent=True)
        except (aiohttp.ClientError, OSError, ValueError):
            # Their texts quote addresses and heads: only the class counts.
            return TransportError("reset", sent=True)

    async def _answer(self, post: Post) -> Answer:
        async with self._session.post(
            post.url,
            data=post.body,
            headers={"Content-Type": post.content_type},
            allow_redirects=False,
        ) as response:
            headers = response.headers
            if headers.get("Content-Encoding", "identity").lower() != "identity":
                raise TransportError("encoded", sent=True)
            body = bytearray()
            async for piece in response.content.iter_chunked(_PIECE_BYTES):
                body += piece
                if len(body) > post.max_bytes:
                    raise TransportError("too_large", sent=True)
            return Answer(response.status, headers, bytes(body))


def _cancel(tasks: set[Task]) -> None:
    for task in tasks:
        task.cancel()


def _ended(
    tasks: set[Task], timer: asyncio.TimerHandle, place: int, done: Done, task: Task
) -> None:
    """The timer goes with the last of them."""
    tasks.discard(task)
    if not tasks:
        timer.cancel()
    done(place, _outcome_of(task))


def _outcome_of(task: Task) -> Outcome:
    """Whatever became of it: somebody waits."""
    if task.cancelled():
        # Before its first step, in a process that stood still for so long.
        return TransportError("timeout", sent=False)
    if error := task.exception():
        # A fault of ours. Its text may hold anything, so only its kind is told.
        logger.error("exchange failed, error=%s", type(error).__name__)
        return TransportError("reset", sent=True)
    return task.result()


def multiplex(ca_bundle: str = "") -> Multiplex:
    """The one of this process, for these roots."""
    return _of_process(os.getpid(), ca_bundle)


@cache
def _of_process(process_id: int, ca_bundle: str) -> Multiplex:
    # A child that was forked has no thread of its parent's.
    return Multiplex(ca_bundle=ca_bundle)
