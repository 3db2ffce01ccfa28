"""Counts what a part of the sandbox was asked and what it answered."""

from __future__ import annotations

import threading
from collections import Counter


class Statistics:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def __getitem__(self, name: str) -> int:
        with self._lock:
            return self._counts[name]

    def total(self, beginning: str) -> int:
        """The sum of all names that begin so."""
        with self._lock:
            return sum(
                n for name, n in self._counts.items() if name.startswith(beginning)
            )

    def snapshot(self) -> dict[str, int]:
        with self._lock:
            return dict(sorted(self._counts.items()))

    def reset(self) -> None:
        with self._lock:
            self._counts.clear()
