"""The mail that carries an invitation's token; nothing else ever has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from accounts import mails
from accounts.mails import one_line

if TYPE_CHECKING:
    from accounts.models import Invitation


def send(invitation: Invitation, token: str) -> bool:
    """Whether the mail server took it. Without it, a new token must be made."""
    context = _context(invitation, token)
    return mails.send("accounts/mail/invited", context, to=invitation.email)


def _context(invitation: Invitation, token: str) -> dict[str, Any]:
    inviter = invitation.invited_by
    path = reverse("accounts:open_invitation", args=[token])
    return {
        "inviter": one_line(inviter.get_full_name()) or inviter.email,
        "inviter_address": inviter.email if inviter.get_full_name() else "",
        "organization": one_line(invitation.organization.name),
        "role": invitation.get_role_display().lower(),
        "address": invitation.email,
        "expires_at": invitation.expires_at,
        "url": f"{settings.PUBLIC_URL}{path}",
    }
