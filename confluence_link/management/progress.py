"""How far a long command is: a bar for people, nothing for logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from django.core.management.base import OutputWrapper

_WIDTH: Final = 30


class Bar:
    """One line that is drawn over itself, if `out` is a terminal."""

    def __init__(self, out: OutputWrapper, *, total: int) -> None:
        self._out = out
        self._total = total
        self._done = 0
        self._is_drawn = out.isatty() and total > 0

    def advance(self, name: str, count: int) -> None:
        """`count` more are done, of those called `name`."""
        self._done += count
        if not self._is_drawn:
            return
        # Some may come while the command runs.
        part = min(self._done / self._total, 1)
        marks = "#" * int(part * _WIDTH)
        told = f"{self._done:,} of {self._total:,}, {name}"
        self._out.write(f"\r[{marks:.<{_WIDTH}}] {part:4.0%} {told:<40}", ending="")
        self._out.flush()

    def end(self) -> None:
        if self._is_drawn:
            self._out.write("")
