"""Refreshing: a grant is lost only if somebody else ended it (design 6).

schedule   when to try next; pure
idle       the weekly rhythm of what nobody uses, and its end
claim      what is due, and the lease that is also the committed intent
exchange   one round trip to the token endpoint; no database
store      the fenced write of an answer; keeps trying while the database is away
spool      the emergency file of a process that must stop before it could store
verdict    what a failure means: for the grant, for its app, and when it is death
cycle      sweep, a batch, one grant now
"""

from __future__ import annotations

from confluence_link.refresh.cycle import (
    Outcome,
    refresh_batch,
    refresh_now,
    sweep,
)
from confluence_link.refresh.idle import mark_used
from confluence_link.refresh.store import forget_predecessors

__all__ = [
    "Outcome",
    "forget_predecessors",
    "mark_used",
    "refresh_batch",
    "refresh_now",
    "sweep",
]
