"""What must be true of a grant, whatever our processes went through.

It knows what people did and what the other side did; never what we did about it.
"""

from __future__ import annotations

from dataclasses import dataclass

from confluence_link.models import Grant

Status = Grant.Status
Reason = Grant.DeathReason
# After an answer was lost, we find back unless nobody let us for that long.
EXCUSE_SECONDS = 180


@dataclass
class ReferenceGrant:
    """`leeway_seconds` is how long the other side forgives."""

    leeway_seconds: float
    is_linked: bool = True
    is_paused: bool = False
    # By its person, at the other side, since the last consent.
    is_ended: bool = False
    # The other side gave a successor of the token that we have, and it is not stored.
    in_doubt_since: float | None = None
    # Of that time, how long nothing could be done.
    hindered_seconds: float = 0
    # Nobody read that successor, or whoever did was killed before it lay anywhere.
    is_unread: bool = False
    # All answers are lost at present.
    loses_answers: bool = False
    # It asked too late, and the other side ended all.
    is_broken: bool = False

    def consent(self) -> None:
        self.is_linked, self.is_ended, self.is_broken = True, False, False

    def observe(self, retired_at: float | None, is_broken: bool) -> None:
        if retired_at != self.in_doubt_since:
            self.in_doubt_since = retired_at
            self.hindered_seconds *= is_broken
        self.is_broken = is_broken
        if retired_at is None:
            self.is_unread = self.loses_answers

    def is_lost(self, now: float) -> bool:
        """Nobody can find the way back any more."""
        since = self.in_doubt_since
        is_late = since is not None and now - since >= self.leeway_seconds
        return is_late or self.is_broken

    def is_excused(self) -> bool:
        """Two generals: without leeway, an unread answer is all it takes."""
        if self.leeway_seconds == 0:
            return self.is_unread
        return self.hindered_seconds >= EXCUSE_SECONDS

    def lives(self, now: float) -> bool:
        return self.is_linked and not self.is_ended and not self.is_lost(now)

    def statuses(self, now: float) -> set[str]:
        """What its row may say."""
        if not self.is_linked:
            return {Status.UNLINKED}
        usual: set[str] = {Status.PAUSED if self.is_paused else Status.ACTIVE}
        return usual if self.lives(now) else usual | {Status.RECONNECT_NEEDED}

    def reasons(self) -> set[str]:
        """Of its death. Nobody is told to have ended what we lost."""
        return {Reason.ROTATION_LOST, *([Reason.REVOKED] if self.is_ended else [])}
