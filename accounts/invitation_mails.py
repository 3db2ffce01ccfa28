"""The mail that carries an invitation's token; nothing else ever has it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from accounts.mails import compose, one_line

if TYPE_CHECKING:
    from accounts.models import Invitation

logger = logging.getLogger(__name__)


def send(invitation: Invitation, token: str) -> bool:
    """Whether the mail server took it. Without it, a new token must be made."""
    mail = compose(
        "accounts/mail/invited", _context(invitation, token), to=invitation.email
    )
    try:
        mail.send()
    except OSError as error:
        logger.warning("mail not sent, error=%s", type(error).__name__)
        return False
    return True


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
