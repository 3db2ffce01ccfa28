"""Refresh exchanges, and their answers as values. Touches no database."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Literal, TypeAlias

from confluence_link import token_endpoint
from confluence_link.errors import AnswerClass, TokenEndpointError, TransportError
from confluence_link.http import multiplex
from confluence_link.tokens import TokenSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from confluence_link.http import Answer, Deadline
    from confluence_link.refresh.claim import Leased
    from confluence_link.token_endpoint import TokenEndpoint

logger = logging.getLogger(__name__)

# The classes of design 6: `not_sent` and `undecryptable` are known before an answer.
FailureClass: TypeAlias = AnswerClass | Literal["not_sent", "undecryptable"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An exchange without a token set. `error` is a short word of ours."""

    answer: FailureClass
    error: str
    retry_after_seconds: int | None = None


def exchange_all(
    leased: Sequence[Leased], *, deadline: Deadline
) -> Iterator[tuple[Leased, TokenSet | Failure]]:
    """Sends each refresh token once, all at once; gives the answers as they come.

    Cloud's share one pool of connections. A server, and whoever is changing a client
    secret, has a connection of its own: it may be slow, and must not be in the way.
    """
    answers: SimpleQueue[tuple[Leased, TokenSet | Failure]] = SimpleQueue()
    shared = [one for one in leased if _may_share(one.endpoint)]
    alone = [one for one in leased if not _may_share(one.endpoint)]
    for bundle in {one.endpoint.network_policy.ca_bundle for one in shared}:
        of_bundle = [
            one for one in shared if one.endpoint.network_policy.ca_bundle == bundle
        ]
        _send_shared(of_bundle, bundle, deadline, answers)
    with ThreadPoolExecutor(max_workers=max(len(alone), 1)) as pool:
        for one in alone:
            pool.submit(_ask, one, deadline, answers)
        for _ in leased:
            yield answers.get()


def _may_share(endpoint: TokenEndpoint) -> bool:
    return endpoint.is_the_operators and not endpoint.next_client_secret


def _send_shared(
    leased: Sequence[Leased],
    ca_bundle: str,
    deadline: Deadline,
    answers: SimpleQueue[tuple[Leased, TokenSet | Failure]],
) -> None:
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


def _ask(
    leased: Leased,
    deadline: Deadline,
    answers: SimpleQueue[tuple[Leased, TokenSet | Failure]],
) -> None:
    answers.put((leased, exchange(leased, deadline=deadline)))


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
            "exchange failed, grant=%d error=%s", leased.grant.pk, type(error).__name__
        )
        return Failure("uncertain", "our_fault")
