"""What a log line may not carry."""

from __future__ import annotations

import logging
import re

# A callback's query holds a code and a state, an e-mail link holds its key.
_QUERY = re.compile(r"(/callback/)\?[^\s\"']*")
_KEYED_PATH = re.compile(
    r"(/(?:confirm-email|password/reset/key|link-invitations"
    r"|invitations(?!/accept/))/)[^\s\"']+"
)


class HideCallbackQuery(logging.Filter):
    """Replaces the query of a callback and the key of an e-mail link by `***`.

    The record's message is formatted here, so that its arguments cannot bring
    the text back in another handler.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = _KEYED_PATH.sub(r"\1***", _QUERY.sub(r"\1?***", message))
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True
