"""Mails about events, each sent once and only to those who may know.

An event that wants a mail is claimed by a conditional UPDATE before it is sent, so a
doubled task sends nothing twice; a mail server that is away delays mails and nothing
else.
"""

from __future__ import annotations

import logging
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from accounts.models import User
from confluence_link.models import Event, VacantSite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

AT_ONCE = 50
_TEMPLATES = {
    Event.Kind.LINKED: "linked",
    Event.Kind.RECONNECT_NEEDED: "reconnect_needed",
    Event.Kind.CONFIGURATION_REFUSED: "configuration_refused",
    Event.Kind.MASS_REFUSAL: "mass_refusal",
    Event.Kind.ADOPTER_NAMED: "adopter_named",
    Event.Kind.MEMBER_REMOVED: "member_removed",
}
_TO_OPERATORS = (Event.Kind.CONFIGURATION_REFUSED, Event.Kind.MASS_REFUSAL)


def send_pending() -> int:
    """Sends what is pending; how many events were dealt with.

    A mail that the server refuses for good stays unsent; one that it puts off does not
    hold up the others. Stops at a server that is away.
    """
    pending = Event.objects.filter(notice=Event.Notice.PENDING).order_by("pk")
    rows = pending.select_related("grant__user", "oauth_app", "organization", "actor")[
        :AT_ONCE
    ]
    done = 0
    for event in rows:
        if not _claim(event):
            continue
        try:
            _send(event)
        except (SMTPRecipientsRefused, SMTPDataError):
            _give_back(event)
        except OSError as error:
            _give_back(event)
            logger.warning("mail server refuses, error=%s", type(error).__name__)
            break
        else:
            done += 1
    return done


def _claim(event: Event) -> bool:
    claimed = Event.objects.filter(pk=event.pk, notice=Event.Notice.PENDING)
    return claimed.update(notice=Event.Notice.SENT) == 1


def _give_back(event: Event) -> None:
    """The next run tries again."""
    Event.objects.filter(pk=event.pk).update(notice=Event.Notice.PENDING)


def _send(event: Event) -> None:
    addresses = list(_addresses(event))
    if not addresses:
        return
    template = f"confluence_link/mail/{_TEMPLATES[Event.Kind(event.kind)]}.txt"
    # On one line each: names come from another server.
    facts = {key: " ".join(str(value).split()) for key, value in event.facts.items()}
    context = {"event": event, "facts": facts, "public_url": settings.PUBLIC_URL}
    subject, _, body = render_to_string(template, context).partition("\n")
    for address in addresses:
        _send_to(address, " ".join(subject.split()), body.strip() + "\n", event)


def _send_to(address: str, subject: str, body: str, event: Event) -> None:
    try:
        send_mail(subject, body, None, [address])
    except (SMTPRecipientsRefused, SMTPDataError) as refusal:
        if not _is_final(refusal):
            raise
        logger.warning("mail refused for good, event=%d", event.pk)


def _is_final(refusal: SMTPRecipientsRefused | SMTPDataError) -> bool:
    """Reference: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1"""
    if isinstance(refusal, SMTPDataError):
        return refusal.smtp_code >= 500
    return all(code >= 500 for code, _ in refusal.recipients.values())


def _addresses(event: Event) -> Iterable[str]:
    """The grant's person; of an app's trouble, the operators.

    Nobody, if what the mail is about was deleted meanwhile.
    """
    if event.kind in _TO_OPERATORS:
        return _operators() if event.oauth_app is not None else []
    if event.kind in _TO_ONE_PERSON:
        return _TO_ONE_PERSON[event.kind](event) if event.organization else []
    if event.grant is None or not event.grant.user.is_active:
        return []
    return [event.grant.user.email]


def _operators() -> Iterable[str]:
    operators = User.objects.filter(is_superuser=True, is_active=True)
    return operators.values_list("email", flat=True)


def _adopter(event: Event) -> Iterable[str]:
    """Who is asked, as long as they are a member and the site waits for them."""
    waiting = VacantSite.objects.filter(public_id=event.facts["linked_site"])
    adopters = User.objects.filter(
        is_active=True,
        pk__in=waiting.values("adopter"),
        memberships__public_id=event.facts["member"],
        memberships__organization=event.organization,
    )
    return adopters.values_list("email", flat=True)


def _removed(event: Event) -> Iterable[str]:
    people = User.objects.filter(is_active=True, email=event.facts["who"])
    return people.values_list("email", flat=True)


_TO_ONE_PERSON: dict[str, Callable[[Event], Iterable[str]]] = {
    Event.Kind.ADOPTER_NAMED: _adopter,
    Event.Kind.MEMBER_REMOVED: _removed,
}
