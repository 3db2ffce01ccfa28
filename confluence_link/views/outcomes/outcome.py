"""Outcome: what happened and what to do next, in words, without any fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Where the one button of an outcome leads; "" is an outcome without a button.
Button = Literal["try_again", "reload", "reconnect", "linked_sites", ""]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The words are complete sentences; `operator` is shown to staff alone."""

    title: str
    happened: str
    next_step: str
    button: Button = "try_again"
    tone: Literal["info", "warning", "error"] = "warning"
    operator: str = ""
    # Of a page whose main content could not be had because of this.
    status: int = 200
