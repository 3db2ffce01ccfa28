"""Sends what is pending, once.

An event that wants a mail is claimed by a conditional UPDATE before it is sent, so a
doubled task sends nothing twice; a mail server that is away delays mails and nothing
else.
"""

from __future__ import annotations

import logging
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import TYPE_CHECKING

from django.db.models import F

from accounts.mails import compose
from confluence_link.models import Event
from confluence_link.notices.letters import letters

if TYPE_CHECKING:
    from confluence_link.notices.letter import Letter

logger = logging.getLogger(__name__)

AT_ONCE = 50
# The fact under which an event keeps who has its mail while others wait for theirs.
_TOLD = "told"


def send_pending() -> int:
    """Sends what is pending; how many events were dealt with.

    A mail that the server refuses for good stays unsent; one that it puts off does not
    hold up the others. Stops at a server that is away.
    """
    pending = Event.objects.filter(notice=Event.Notice.PENDING).order_by("pk")
    rows = pending.select_related(
        "grant__user", "grant__oauth_app", "oauth_app__organization", "organization"
    )[:AT_ONCE]
    done = 0
    for event in rows:
        if not _claim(event):
            continue
        try:
            waiting = _send(event)
        except OSError as error:
            logger.warning("mail server refuses, error=%s", type(error).__name__)
            break
        done += not waiting
    return done


def _claim(event: Event) -> bool:
    claimed = Event.objects.filter(pk=event.pk, notice=Event.Notice.PENDING)
    return claimed.update(notice=Event.Notice.SENT) == 1


def _send(event: Event) -> bool:
    """Whether somebody's mail was put off, which the next run tries again.

    Raises OSError if the server is away, and then all who have none yet wait.
    """
    told = set(event.facts.get(_TOLD, []))
    waiting = False
    try:
        for letter in letters(event):
            if letter.to.pk in told:
                continue
            if _send_letter(letter, event):
                told.add(letter.to.pk)
            else:
                waiting = True
    except OSError:
        waiting = True
        raise
    finally:
        if waiting:
            _give_back(event, told)
    return waiting


def _give_back(event: Event, told: set[int]) -> None:
    facts = {**event.facts, _TOLD: sorted(told)} if told else F("facts")
    Event.objects.filter(pk=event.pk).update(notice=Event.Notice.PENDING, facts=facts)


def _send_letter(letter: Letter, event: Event) -> bool:
    """Whether it is dealt with: sent, or refused for good."""
    template = f"confluence_link/mail/{letter.template}"
    try:
        compose(template, letter.words, to=letter.to.email).send()
    except (SMTPRecipientsRefused, SMTPDataError) as refusal:
        if not _is_final(refusal):
            return False
        logger.warning("mail refused for good, event=%d", event.pk)
    return True


def _is_final(refusal: SMTPRecipientsRefused | SMTPDataError) -> bool:
    """Reference: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1"""
    if isinstance(refusal, SMTPDataError):
        return refusal.smtp_code >= 500
    return all(code >= 500 for code, _ in refusal.recipients.values())
