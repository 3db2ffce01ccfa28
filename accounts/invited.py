"""The invitation whose mailed address this browser opened.

Who signs up or in on the way to joining is still known afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone

from accounts import invitations

if TYPE_CHECKING:
    from django.http import HttpRequest

# In the session: the token's hash.
SESSION_KEY: Final = "invitation"


def forget(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)


def token_hash(request: HttpRequest) -> str:
    """Empty if this browser opened none."""
    return str(request.session.get(SESSION_KEY, ""))


def address(request: HttpRequest) -> str:
    """Whom the open invitation is for; empty without one."""
    known = token_hash(request)
    try:
        found = known and invitations.find(token_hash=known, now=timezone.now())
    except invitations.InvitationRefused:
        return ""
    return found.email if found else ""
