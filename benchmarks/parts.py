"""What can be measured, by name, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

# These take turns, so that whatever happens to the machine happens to all of them.
REPEATED: Final = (
    "whole_path",
    "bare_client",
    "bare_requests",
    "task_per_token",
    "one_process",
    "two_processes",
    "whole_path_at_0ms",
)
# No gate asks for it: one turn is enough.
ONE_TURN: Final = ("whole_path_at_0ms",)
# These have turns of their own, and are measured once in a run of everything.
ONCE: Final = ("due_query", "stages")
ALL: Final = (*REPEATED, *ONCE)

LATENCY_SECONDS: Final = 0.15


@dataclass(frozen=True, slots=True)
class Sizes:
    """Grants that there are, and refreshes of each measurement.

    The rates are of falling due: a fifth more than is asked of one and two processes.
    """

    grants: int = 120_000
    whole_path: int = 12_000
    bare_client: int = 6_000
    bare_requests: int = 4_000
    task_per_token: int = 500
    one_process_per_second: int = 360
    two_processes_per_second: int = 720
    sustained_seconds: int = 60

    def times(self, share: float) -> Sizes:
        """To try it out: the rates stay, all else is less."""
        return replace(
            self,
            grants=max(int(self.grants * share), 2_000),
            whole_path=max(int(self.whole_path * share), 200),
            bare_client=max(int(self.bare_client * share), 200),
            bare_requests=max(int(self.bare_requests * share), 200),
            task_per_token=max(int(self.task_per_token * share), 20),
            sustained_seconds=max(int(self.sustained_seconds * share), 1),
        )
