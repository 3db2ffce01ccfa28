"""A fault: what to do instead of, or with, the honest answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from werkzeug.wrappers import Response


@dataclass
class Fault:
    """`times` is how many requests meet it; None means until it is cleared. What
    the other options mean is up to the preset; `status` overrides its own."""

    preset: str
    times: int | None = None
    seconds: float = 1.0
    status: int | None = None
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    location: str = ""
    retry_after: str = "5"


@dataclass(frozen=True)
class Exchange:
    """The request that met the fault. `process` lets the part do its work and
    gives the honest answer; `drop` closes the connection without one. `released`
    is set when somebody says so, for all that is held then."""

    process: Callable[[], Response]
    drop: Callable[[], Response]
    stopping: threading.Event
    released: threading.Event


Preset = Callable[[Fault, Exchange], Response]
