"""Refreshing: a grant is lost only if somebody else ended it (design 6).

schedule   when to try next; pure
idle       the weekly rhythm of what nobody uses, and its end
due        what a sweep hands out, in fair turns
pace       how many exchanges a second an app may have, over all processes
claim      the lease, which is also the committed intent, and what is opened under it
exchange   the round trips to token endpoints, many at once; no database
together   the fenced write of plain answers, many in one statement
store      the fenced write of any answer
contention statements that met another's, tried again
rounds     one lease from its opening to the last answer
spool      the emergency file of a process that must stop before it could store
verdict    what a failure means: for the grant, for its app, and when it is death
cycle      sweep, a batch, one grant now
"""

from __future__ import annotations

from confluence_link.refresh.cycle import refresh_batch, refresh_now, sweep
from confluence_link.refresh.due import still_handed_out
from confluence_link.refresh.idle import mark_used
from confluence_link.refresh.rounds import Outcome
from confluence_link.refresh.store import forget_predecessors

__all__ = [
    "Outcome",
    "forget_predecessors",
    "mark_used",
    "refresh_batch",
    "refresh_now",
    "still_handed_out",
    "sweep",
]
