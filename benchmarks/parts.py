"""The names of what can be measured, in order. Those that take turns come first."""

from __future__ import annotations

from typing import Final

# Once in each run, so that whatever happens to the machine happens to all of them.
REPEATED: Final = (
    "whole_path",
    "bare_client",
    "bare_requests",
    "task_per_token",
    "whole_path_at_0ms",
    "one_process",
    "two_processes",
)
ONCE: Final = ("due_query", "stages")
PARTS: Final = (*REPEATED, *ONCE)
