"""Named points of a refresh at which a test of faults may end or hold the process.

Nothing here can act: what happens at a point is handed in by the tests' own settings
module, which no installation has. A start with `CONFLUENCE_LINK_FAILPOINTS` set is
refused everywhere else (`checks`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

# The intent is committed; an answer was read and is stored nowhere; it is synced to
# the spool; it is committed.
Name: TypeAlias = Literal["leased", "answered", "spooled", "stored"]
NAMES: Final[tuple[str, ...]] = get_args(Name)

_act: Callable[[str], object] | None = None


def reach(name: Name) -> None:
    """Called once for each batch or answer; does nothing unless a test said what."""
    if _act is not None:
        _act(name)


def arm(act: Callable[[str], object] | None) -> None:
    """From now on `act` is called at each point of this process; None ends that."""
    global _act
    _act = act
