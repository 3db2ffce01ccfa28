"""Statements that met another's: tried again, a few times and at once."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, TypeVar

from django.db import OperationalError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

TRIES: Final = 5
_PAUSE_SECONDS: Final = 0.02
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_SERIALIZATION_FAILURE: Final = "40001"
_DEADLOCK_DETECTED: Final = "40P01"
_LOCK_NOT_AVAILABLE: Final = "55P03"
_CONTENTION: Final = {_SERIALIZATION_FAILURE, _DEADLOCK_DETECTED, _LOCK_NOT_AVAILABLE}
_CHANCE: Final = random.SystemRandom()


def patiently(transaction: Callable[[], Result]) -> Result:
    """Runs a whole transaction, again if the database ended it for another's sake.

    Raises what the last try raised. SQLite waits for a lock by itself.
    """
    for attempt in range(1, TRIES):
        try:
            return transaction()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) not in _CONTENTION:
                raise
            time.sleep(_CHANCE.uniform(0, _PAUSE_SECONDS * 2**attempt))
    return transaction()
