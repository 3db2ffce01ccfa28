"""Beat, whatever its host's clock does, and however long workers are away."""

from __future__ import annotations

import logging
from typing import Any

from celery.beat import PersistentScheduler, ScheduleEntry

from confluence_link import tasks

logger = logging.getLogger(__name__)


class SteadyScheduler(PersistentScheduler):
    """Celery's own, which would fall silent when its clock is set back.

    It counts from when it last sent something, by the clock that was right then.
    """

    def tick(self, *args: Any, **kwargs: Any) -> float:
        self._forget_the_future()
        seconds: float = super().tick(*args, **kwargs)
        return seconds

    def _forget_the_future(self) -> None:
        """What was sent later than now, was sent now; also by the file of a start."""
        for entry in self.schedule.values():
            now = entry.default_now()
            if entry.last_run_at and entry.last_run_at > now:
                logger.warning("the clock was set back before %s", entry.name)
                entry.last_run_at = now
                # It has when each entry is next, by the clock of before.
                self._heap = None

    def apply_async(self, entry: ScheduleEntry, *args: Any, **kwargs: Any) -> Any:
        """Not to a queue that is full: what waits there says the same."""
        if tasks.is_full(self.app.conf.task_default_queue, self.connection):
            return None
        return super().apply_async(entry, *args, **kwargs)
