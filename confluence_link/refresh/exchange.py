"""Refresh exchanges, and their answers as values. Touches no database."""

from __future__ import annotations

import logging
import time
from collections import defaultdict, deque
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
    it may be slow, and must not be in the way. What did not begin before
    `begin_until`, or may not, is given as NOT_BEGUN.
    """
    answers: SimpleQueue[tuple[Leased, Result]] = SimpleQueue()
    waiting = deque(one for one in leased if _may_share(one.endpoint))
    alone = [one for one in leased if not _may_share(one.endpoint)]
    most, under_way, pace = AT_ONCE + len(alone), len(alone), _Pace(per_second)
    lanes = _lanes(alone)
    threads = max(1, min(len(lanes), AT_ONCE))
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for line in lanes:
            pool.submit(_ask_in_turn, line, begin_until, may_begin, answers)
        while waiting or under_way:
            if not begin_until.remaining():
                yield [(one, NOT_BEGUN) for one in waiting]
                waiting.clear()
            turns = pace.take(min(most - under_way, len(waiting)))
            begun, held = _parted([waiting.popleft() for _ in range(turns)], may_begin)
            # Sent before anything is given away, which may take any time.
            _send_shared(begun, answers)
            under_way += len(begun)
            yield [(one, NOT_BEGUN) for one in held]
            if not (waiting or under_way):
                # The last ones were held back: no answer is to come.
                return
            came = _together(answers, PACE_STEP_SECONDS if waiting else None)
            under_way -= len(came)
            yield came


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


@dataclass(slots=True)
class _Line:
    """What is to be asked of one app; `failures` are those since it last answered."""

    waiting: deque[Leased] = field(default_factory=deque)
    failures: int = 0

    def is_over(self, one: Leased) -> bool:
        """A server that is away need not fail for all of its grants."""
        return self.failures >= AT_SERVER and not one.endpoint.is_the_operators


def _lanes(alone: Sequence[Leased]) -> list[_Line]:
    """The line of each app, once for every thread that may take from it."""
    lines: defaultdict[int, _Line] = defaultdict(_Line)
    for one in alone:
        lines[one.held.oauth_app_id].waiting.append(one)
    lanes = []
    for line in lines.values():
        is_cloud = line.waiting[0].endpoint.is_the_operators
        at_once = min(len(line.waiting), AT_ONCE if is_cloud else AT_SERVER)
        lanes += [line] * at_once
    return lanes


def _ask_in_turn(
    line: _Line,
    begin_until: Deadline,
    may_begin: Callable[[Leased], bool],
    answers: SimpleQueue[tuple[Leased, Result]],
) -> None:
    while True:
        try:
            one = line.waiting.popleft()
        except IndexError:
            return
        if line.is_over(one) or not (begin_until.remaining() and may_begin(one)):
            answers.put((one, NOT_BEGUN))
            continue
        result = exchange(one, deadline=Deadline(EXCHANGE_SECONDS))
        failed = isinstance(result, Failure) and result.answer != "refused"
        line.failures = line.failures + 1 if failed else 0
        answers.put((one, result))


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
