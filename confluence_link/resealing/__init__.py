"""Which keys are in use, and everything sealed moved to the first one.

    kinds    what is sealed, and where
    use      which keys sealed it
    starting what stops a start
    moving   batch by batch, beside running refreshes

Sealed verifiers in sessions are no kind: they live for ten minutes, and nobody would
wait for them. Sealed answers in spool directories are stored by the next sweep on
their machine; here they are only counted.
"""

from __future__ import annotations

from confluence_link.resealing.moving import Result, reseal
from confluence_link.resealing.starting import key_problems, note_new_keys
from confluence_link.resealing.use import Use, use_of_keys, values_to_move

__all__ = [
    "Result",
    "Use",
    "key_problems",
    "note_new_keys",
    "reseal",
    "use_of_keys",
    "values_to_move",
]
