"""A mail from its two templates, `<name>.txt` and `<name>.html`."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_SUBJECT_CHARACTERS: Final = 150
_NAME_CHARACTERS: Final = 100

# What breaks lines or turns the direction of what follows.
_UNSEEN: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def compose(
    template: str, context: Mapping[str, Any], *, to: str
) -> EmailMultiAlternatives:
    """The first line of the text is the subject; the HTML says the same again.

    Names in `context` go through `one_line` first.
    """
    subject, _, text = render_to_string(f"{template}.txt", context).partition("\n")
    mail = EmailMultiAlternatives(
        one_line(subject, _SUBJECT_CHARACTERS), text.strip() + "\n", to=[to]
    )
    mail.attach_alternative(render_to_string(f"{template}.html", context), "text/html")
    return mail


def send(template: str, context: Mapping[str, Any], *, to: str) -> bool:
    """Whether the mail server took it. Else what it carried is lost."""
    try:
        compose(template, context, to=to).send()
    except OSError as error:
        # smtplib's errors are such, too; their words may name the address.
        logger.warning("mail not sent, error=%s", type(error).__name__)
        return False
    return True


def one_line(text: str, characters: int = _NAME_CHARACTERS) -> str:
    """What somebody wrote, in one line that reads one way, and capped."""
    line = " ".join(_UNSEEN.sub(" ", text).split())
    return line if len(line) <= characters else f"{line[: characters - 1]}…"
