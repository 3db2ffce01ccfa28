"""One worker process, as a thread that can be stopped half-way, go on, or be killed.

Killed means: from then on no statement of it reaches the database and nothing that it
knows is used. What it had sent is out of its hands.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from django.db import Error, connection

from confluence_link import failpoints

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from sandbox.faults.fault import Exchange, Fault

WAIT_SECONDS: Final = 15
# A request is on its way for no longer: its sender gives up.
ANSWER_SECONDS: Final = 30
# Nor does the network keep one for longer than until the next try may begin.
ARRIVAL_SECONDS: Final = 50


class Killed(BaseException):
    """No `except Exception` gets hold of it."""


class Worker:
    """`where` it stands still: a failpoint, `sent` or `processed`; None if it is free.

    Its database is away, for its `Error` to be no failure, if somebody says so.
    """

    def __init__(self, name: str, seconds_now: Callable[[], float]) -> None:
        self.name = name
        self.where: str | None = None
        self.outcomes: Any = None
        self._seconds_now = seconds_now
        self._stands = threading.Event()
        self._goes_on = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_dead = False
        self._error: BaseException | None = None
        self.lost_its_database = False

    # From outside
    # --------------------------------------------------------------------------
    def run(
        self,
        work: Callable[[], object],
        *,
        stop_at: str = "",
        when_answered: Callable[[], object] | None = None,
    ) -> None:
        """Until it is done, or stands at `stop_at`."""
        assert self._thread is None
        self._stop_at, self._when_answered = stop_at, when_answered
        self._is_dead, self._error, self.outcomes = False, None, None
        self.lost_its_database = False
        self._began = self._seconds_now()
        self._thread = threading.Thread(target=self._live, args=(work,), daemon=True)
        self._begin(self._thread.start)

    def go_on(self) -> None:
        if self._thread is not None:
            self._begin(self._goes_on.set)

    def kill(self) -> None:
        self._is_dead = True
        self.go_on()

    def _begin(self, start: Callable[[], object]) -> None:
        self.where = None
        self._stands.clear()
        failpoints.arm(self.reach)
        try:
            start()
            assert self._stands.wait(WAIT_SECONDS), f"{self.name} hangs"
        finally:
            failpoints.arm(None)
        if self.where is None and self._thread is not None:
            self._thread.join(WAIT_SECONDS)
            self._thread = None
            if self._error is not None:
                raise self._error

    # In its threads
    # --------------------------------------------------------------------------
    def _live(self, work: Callable[[], object]) -> None:
        try:
            with connection.execute_wrapper(self._refuse_the_dead):
                self.outcomes = work()
        except Killed:
            pass
        except BaseException as error:
            # Celery logs that a database went away, and goes on to what is next.
            if not (self.lost_its_database and isinstance(error, Error)):
                self._error = error
        finally:
            connection.close()
            self._stands.set()

    def reach(self, point: str) -> None:
        """At a failpoint of ours."""
        if self._is_dead:
            raise Killed
        if point == "answered" and self._when_answered is not None:
            self._when_answered()
            self._when_answered = None
        if point == self._stop_at:
            self._stand(point)

    def _stand(self, where: str) -> None:
        self._stop_at, self.where = "", where
        self._goes_on.clear()
        self._stands.set()
        self._goes_on.wait()
        if self._is_dead and where in failpoints.NAMES:
            raise Killed

    def _refuse_the_dead(
        self, execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if self._is_dead:
            raise Killed
        return execute(sql, params, many, context)

    # In a thread of the sandbox
    # --------------------------------------------------------------------------
    def hold(self, fault: Fault, exchange: Exchange) -> Response:
        """A fault that stops this worker while its request is on the way."""
        if fault.body == "processed":
            response = exchange.process()
            self._stand("processed")
        else:
            self._stand("sent")
            if self._elapsed() > ARRIVAL_SECONDS:
                return exchange.drop()
            response = exchange.process()
        late = self._elapsed() > ANSWER_SECONDS
        return exchange.drop() if late or self._is_dead else response

    def _elapsed(self) -> float:
        return self._seconds_now() - self._began
