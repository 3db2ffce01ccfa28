"""One refresh exchange, and its answer as a value. Touches no database."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from confluence_link import token_endpoint
from confluence_link.errors import AnswerClass, TokenEndpointError, TransportError

if TYPE_CHECKING:
    from confluence_link.http import Deadline
    from confluence_link.refresh.claim import Leased
    from confluence_link.tokens import TokenSet

logger = logging.getLogger(__name__)

# The classes of design 6: `not_sent` and `undecryptable` are known before an answer.
FailureClass: TypeAlias = AnswerClass | Literal["not_sent", "undecryptable"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An exchange without a token set. `error` is a short word of ours."""

    answer: FailureClass
    error: str
    retry_after_seconds: int | None = None


def exchange(leased: Leased, *, deadline: Deadline) -> TokenSet | Failure:
    """Sends the refresh token once. Never raises: others of its batch are under way."""
    try:
        return token_endpoint.refresh(
            endpoint=leased.endpoint,
            refresh_token=leased.refresh_token,
            deadline=deadline,
        )
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
