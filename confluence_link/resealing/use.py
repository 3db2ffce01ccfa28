"""Which keys sealed what is there now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from confluence_link import vault
from confluence_link.refresh import spool
from confluence_link.resealing.kinds import KINDS, UNREADABLE


@dataclass(frozen=True, slots=True)
class Use:
    """Values by key id, for each kind; kinds that have none are left out."""

    by_kind: dict[str, Counter[str]]

    @property
    def key_ids(self) -> set[str]:
        """The keys that something still needs."""
        used = {key_id for counts in self.by_kind.values() for key_id in counts}
        return used - {UNREADABLE}


def use_of_keys() -> Use:
    """All of it, with the answers that wait in this machine's spool directory."""
    by_kind = {kind.name: kind.counts() for kind in KINDS}
    by_kind["spooled answers on this machine"] = Counter(spool.key_ids())
    return Use({name: counts for name, counts in by_kind.items() if counts})


def values_to_move() -> int:
    """How many are not under the first key. Raises VaultError without keys."""
    first = vault.sealing_key_id()
    return sum(kind.counts_beyond([first]).total() for kind in KINDS)


def missing_keys() -> Counter[str]:
    """Keys that the ring lacks although they sealed what stays, with the values.

    Not those that were given up. Costs the same with a million token sets.
    """
    known = {*vault.key_ids(), *vault.lost_key_ids()}
    missing: Counter[str] = Counter()
    for kind in KINDS:
        if kind.stays:
            missing += kind.counts_beyond(known)
    return missing
