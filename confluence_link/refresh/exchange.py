"""Refresh exchanges, and their answers as values. Touches no database."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from confluence_link import token_endpoint
from confluence_link.errors import AnswerClass, TokenEndpointError, TransportError
from confluence_link.http import Deadline, multiplex
from confluence_link.refresh.schedule import EXCHANGE_SECONDS
from confluence_link.tokens import TokenSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from confluence_link.http import Answer
    from confluence_link.refresh.claim import Leased
    from confluence_link.token_endpoint import TokenEndpoint

logger = logging.getLogger(__name__)

# The classes of design 6: `not_sent` and `undecryptable` are known before an answer.
FailureClass: TypeAlias = AnswerClass | Literal["not_sent", "undecryptable"]

AT_ONCE: Final = 100
AT_SERVER: Final = 4
# Answers are given away together: so many, or all that came in so long.
TOGETHER: Final = 10
TOGETHER_SECONDS: Final = 0.02
# How finely the pace is kept.
PACE_STEP_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Failure:
    """An exchange without a token set. `error` is a short word of ours."""

    answer: FailureClass
    error: str
    retry_after_seconds: int | None = None


class NotBegun:
    """No byte was sent, because there was no turn for it in time."""


NOT_BEGUN: Final = NotBegun()
Result: TypeAlias = TokenSet | Failure | NotBegun
Results: TypeAlias = "list[tuple[Leased, Result]]"


def exchange_all(
    leased: Sequence[Leased],
    *,
    begin_until: Deadline,
    per_second: float | None = None,
    may_begin: Callable[[Leased], bool] = lambda leased: True,
) -> Iterator[Results]:
    """Sends each refresh token once at most; gives the answers as they come.

    Cloud's share one pool of connections, at `per_second` if that is given. A server,
    and whoever is changing a client secret, has threads and connections of its own:
    a server may be slow, and must not be in the way. What did not begin before
    `begin_until`, or may not, is given as NOT_BEGUN. While whoever takes the answers is
    busy, no more begin.
    """
    answers: SimpleQueue[tuple[Leased, Result]] = SimpleQueue()
    lines, pace = _lines(leased), _Pace(per_second)
    threads = sum(line.at_once for app_id, line in lines.items() if app_id)
    with ThreadPoolExecutor(max_workers=max(1, min(threads, AT_ONCE))) as pool:
        while any(line.waiting or line.under_way for line in lines.values()):
            not_begun: list[Leased] = []
            for app_id, line in lines.items():
                if line.is_over() or not begin_until.remaining():
                    not_begun += line.take(len(line.waiting))
                turns = line.turns()
                taken = line.take(turns if line.is_server else pace.take(turns))
                begun, held = _parted(taken, may_begin)
                not_begun += held
                line.under_way += len(begun)
                if app_id:
                    for one in begun:
                        _send_alone(one, pool, begin_until, answers)
                else:
                    _send_shared(begun, answers)
            # Sent before anything is given away, which may take any time.
            yield [(one, NOT_BEGUN) for one in not_begun]
            is_waiting = any(line.waiting for line in lines.values())
            if not is_waiting and not any(line.under_way for line in lines.values()):
                # The last ones were held back: no answer is to come.
                return
            came = _together(answers, PACE_STEP_SECONDS if is_waiting else None)
            for one, result in came:
                lines[_line_of(one)].answered(result)
            yield came


@dataclass(slots=True)
class _Line:
    """What is to be asked one after the other, `at_once` at a time.

    `failures` are those since somebody there answered.
    """

    at_once: int
    is_server: bool
    waiting: deque[Leased] = field(default_factory=deque)
    under_way: int = 0
    failures: int = 0

    def is_over(self) -> bool:
        """A server that is away need not fail for all of its grants."""
        return self.is_server and self.failures >= AT_SERVER

    def turns(self) -> int:
        return min(self.at_once - self.under_way, len(self.waiting))

    def take(self, number: int) -> list[Leased]:
        return [self.waiting.popleft() for _ in range(number)]

    def answered(self, result: Result) -> None:
        self.under_way -= 1
        failed = isinstance(result, Failure) and result.answer != "refused"
        self.failures = self.failures + 1 if failed else 0


def _lines(leased: Sequence[Leased]) -> dict[int, _Line]:
    """The line of each app that has one of its own, and the one of all others."""
    lines: dict[int, _Line] = {}
    for one in leased:
        if (app_id := _line_of(one)) not in lines:
            is_server = not one.endpoint.is_the_operators
            lines[app_id] = _Line(AT_SERVER if is_server else AT_ONCE, is_server)
        lines[app_id].waiting.append(one)
    return lines


def _line_of(leased: Leased) -> int:
    """The app's id, or 0 for who shares the pool."""
    return 0 if _may_share(leased.endpoint) else leased.held.oauth_app_id


class _Pace:
    """How many may begin now. Turns that were not taken in time are lost."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._turns, self._counted_at = 1.0, time.monotonic()

    def take(self, wanted: int) -> int:
        if self._per_second is None:
            return wanted
        now = time.monotonic()
        earned = (now - self._counted_at) * self._per_second
        most = max(1.0, self._per_second * PACE_STEP_SECONDS)
        self._turns = min(self._turns + earned, most)
        self._counted_at = now
        taken = min(wanted, int(self._turns))
        self._turns -= taken
        return taken


def _parted(
    leased: Sequence[Leased], may_begin: Callable[[Leased], bool]
) -> tuple[list[Leased], list[Leased]]:
    begun: list[Leased] = []
    held: list[Leased] = []
    for one in leased:
        (begun if may_begin(one) else held).append(one)
    return begun, held


def _together(
    answers: SimpleQueue[tuple[Leased, Result]], wait_seconds: float | None
) -> Results:
    """The next answer, and what comes with it; nothing if none came in that time."""
    try:
        came = [answers.get(timeout=wait_seconds)]
    except Empty:
        return []
    if answers.qsize() < TOGETHER - 1:
        time.sleep(TOGETHER_SECONDS)
    with suppress(Empty):
        while len(came) < TOGETHER:
            came.append(answers.get_nowait())
    return came


def _may_share(endpoint: TokenEndpoint) -> bool:
    return endpoint.is_the_operators and not endpoint.next_client_secret


def _send_shared(
    leased: Sequence[Leased], answers: SimpleQueue[tuple[Leased, Result]]
) -> None:
    for bundle in {one.endpoint.network_policy.ca_bundle for one in leased}:
        of_bundle = [
            one for one in leased if one.endpoint.network_policy.ca_bundle == bundle
        ]
        _send(of_bundle, bundle, answers)


def _send(
    leased: Sequence[Leased],
    ca_bundle: str,
    answers: SimpleQueue[tuple[Leased, Result]],
) -> None:
    deadline = Deadline(EXCHANGE_SECONDS)
    posts = [
        token_endpoint.refresh_post(
            endpoint=one.endpoint, refresh_token=one.refresh_token, deadline=deadline
        )
        for one in leased
    ]

    def done(place: int, outcome: Answer | TransportError) -> None:
        one = leased[place]
        answers.put((one, _read(one, lambda: _answer_of(one, outcome))))

    try:
        multiplex(ca_bundle).send(posts, done=done)
    except Exception as error:
        # None has begun: roots that cannot be read, or no thread to be had.
        reason = error.reason if isinstance(error, TransportError) else "connect"
        for place in range(len(leased)):
            done(place, TransportError(reason, sent=False))


def _answer_of(leased: Leased, outcome: Answer | TransportError) -> TokenSet:
    if isinstance(outcome, TransportError):
        raise outcome
    return token_endpoint.read_refresh(leased.endpoint, outcome)


def _send_alone(
    leased: Leased,
    pool: ThreadPoolExecutor,
    begin_until: Deadline,
    answers: SimpleQueue[tuple[Leased, Result]],
) -> None:
    taken = threading.Lock()
    try:
        pool.submit(_ask, leased, begin_until, answers, taken)
    except RuntimeError:
        # No more threads can be started. One that is there may have it, or none has.
        if taken.acquire(blocking=False):
            answers.put((leased, Failure("not_sent", "connect")))


def _ask(
    leased: Leased,
    begin_until: Deadline,
    answers: SimpleQueue[tuple[Leased, Result]],
    taken: threading.Lock,
) -> None:
    """`taken` is locked by whoever answers for it, for good."""
    if not taken.acquire(blocking=False):
        return
    if begin_until.remaining():
        deadline = Deadline(EXCHANGE_SECONDS)
        answers.put((leased, exchange(leased, deadline=deadline)))
    else:
        answers.put((leased, NOT_BEGUN))


def exchange(leased: Leased, *, deadline: Deadline) -> TokenSet | Failure:
    """Sends one refresh token once. Never raises: others are under way."""
    return _read(
        leased,
        lambda: token_endpoint.refresh(
            endpoint=leased.endpoint,
            refresh_token=leased.refresh_token,
            deadline=deadline,
        ),
    )


def _read(leased: Leased, answer: Callable[[], TokenSet]) -> TokenSet | Failure:
    try:
        return answer()
    except TokenEndpointError as error:
        return Failure(error.answer, error.error, error.retry_after_seconds)
    except TransportError as error:
        return Failure("uncertain" if error.sent else "not_sent", error.reason)
    except Exception as error:
        # A fault of ours, such as a thread that cannot be started. Its text may hold
        # anything, so only its kind is told.
        logger.error(
            "exchange failed, grant=%d error=%s", leased.held.pk, type(error).__name__
        )
        return Failure("uncertain", "our_fault")
