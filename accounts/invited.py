"""The invitation whose mailed address this browser opened.

The session keeps the token's hash: enough to find the invitation, and worth nothing
to whoever reads the sessions, for nobody opens the invitation by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone

from accounts import invitations

if TYPE_CHECKING:
    from django.http import HttpRequest

_TOKEN_HASH: Final = "invitation"  # noqa: S105  # a key of the session


def remember(request: HttpRequest, token: str) -> None:
    request.session[_TOKEN_HASH] = invitations.digest(token)


def forget(request: HttpRequest) -> None:
    request.session.pop(_TOKEN_HASH, None)


def token_hash(request: HttpRequest) -> str:
    """Empty if this browser opened none."""
    return str(request.session.get(_TOKEN_HASH, ""))


def address(request: HttpRequest) -> str:
    """Whom the open invitation is for; empty without one."""
    known = token_hash(request)
    try:
        found = known and invitations.find(token_hash=known, now=timezone.now())
    except invitations.InvitationRefused:
        return ""
    return found.email if found else ""
