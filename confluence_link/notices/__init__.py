"""Mails about events, each sent once and only to those who may know.

    letter    one mail, its people and words
    letters   who hears of an event, and in which words
    ends      the letters about grants that ended or end soon
    reminders what ends soon, found in time
    sending   claimed before it is sent; a mail server that is away delays mails only

Mails with a single-use token are none of them: they are sent at once, by the page.
"""

from __future__ import annotations

from confluence_link.notices.reminders import remind
from confluence_link.notices.sending import AT_ONCE, send_pending

__all__ = ["AT_ONCE", "remind", "send_pending"]
