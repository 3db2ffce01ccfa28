"""Whether the ring can be the one that sealed what is there (V06, V07)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, connection, transaction

from confluence_link import vault
from confluence_link.resealing.use import missing_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)


def key_problems(*, note: bool = False) -> list[str]:
    """What the ring cannot be, in sentences; `note` keeps what new keys look like.

    A database that is away, or has no tables yet, is no problem of the keys: nothing
    can be sealed or opened without it anyway.
    """
    was_open = connection.connection is not None
    try:
        # A savepoint, if the caller is in a transaction.
        with transaction.atomic():
            if note:
                vault.note_keys()
            return [*_other_bytes(), *_missing()]
    except (DatabaseError, InterfaceError) as error:
        if note:
            # Not before the first `migrate`, which checks without tables.
            logger.warning("vault keys not compared: %s", type(error).__name__)
        return []
    finally:
        if not was_open:
            # Processes that are forked from this one must not share it.
            connection.close()


def note_new_keys(using: str, **kwargs: object) -> None:
    """Receives `post_migrate`: a key that was never seen is noted."""
    if using == connection.alias and not vault.key_ring_problems():
        key_problems(note=True)


def _other_bytes() -> Iterator[str]:
    for key_id in vault.changed_key_ids():
        yield (
            f"Key {key_id} has other bytes than before. Put the former ones back, and"
            " give new bytes a new id."
        )


def _missing() -> Iterator[str]:
    for key_id, values in sorted(missing_keys().items()):
        yield (
            f"Key {key_id} is missing, and {values} stored values need it. Put it back,"
            " and run reseal_tokens before it is removed."
        )
