"""Mails about events, each sent once and only to those who may know.

An event that wants a mail is claimed by a conditional UPDATE before it is sent, so a
doubled task sends nothing twice; a mail server that is away delays mails and nothing
else.
"""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from accounts.models import User
from confluence_link.models import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

AT_ONCE = 50
_TEMPLATES = {
    Event.Kind.LINKED: "linked",
    Event.Kind.RECONNECT_NEEDED: "reconnect_needed",
    Event.Kind.CONFIGURATION_REFUSED: "configuration_refused",
    Event.Kind.MASS_REFUSAL: "mass_refusal",
}


def send_pending() -> int:
    """Sends what is pending; how many events were mailed. Stops at a dead server."""
    pending = Event.objects.filter(notice=Event.Notice.PENDING).order_by("pk")
    rows = pending.select_related("grant__user", "oauth_app", "organization")[:AT_ONCE]
    sent = 0
    for event in rows:
        if not _claim(event):
            continue
        try:
            _send(event)
        except (SMTPException, OSError) as error:
            # Given back: the next run tries again.
            Event.objects.filter(pk=event.pk).update(notice=Event.Notice.PENDING)
            logger.warning("mail server refuses, error=%s", type(error).__name__)
            break
        sent += 1
    return sent


def _claim(event: Event) -> bool:
    claimed = Event.objects.filter(pk=event.pk, notice=Event.Notice.PENDING)
    return claimed.update(notice=Event.Notice.SENT) == 1


def _send(event: Event) -> None:
    name = _TEMPLATES[Event.Kind(event.kind)]
    context = {"event": event, "facts": event.facts, "public_url": settings.PUBLIC_URL}
    subject, _, body = render_to_string(
        f"confluence_link/mail/{name}.txt", context
    ).partition("\n")
    for address in _addresses(event):
        send_mail(subject.strip(), body.strip() + "\n", None, [address])


def _addresses(event: Event) -> Iterable[str]:
    """The grant's person; of an app's trouble, the operators."""
    if event.grant is not None:
        return [event.grant.user.email] if event.grant.user.is_active else []
    operators = User.objects.filter(is_superuser=True, is_active=True)
    return operators.values_list("email", flat=True)
