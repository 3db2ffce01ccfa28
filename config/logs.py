"""What a log line may not carry."""

from __future__ import annotations

import logging
import re

# A callback's query holds a code and a state, an e-mail link holds its key.
_QUERY = re.compile(r"(/callback/)\?[^\s\"']*")
_KEYED_PATH = re.compile(
    r"(/(?:confirm-email|password/reset/key|link-invitations|server-setup"
    r"|invitations(?!/accept/))/)[^\s\"']+"
)
# A key for services that somebody put into an address.
_SERVICE_KEY = re.compile(r"clk_[0-9a-f]{12}_[\w-]+")


class HideCallbackQuery(logging.Filter):
    """Replaces the query of a callback and every key of an address by `***`.

    The record's message is formatted here, so that its arguments cannot bring
    the text back in another handler.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = _KEYED_PATH.sub(r"\1***", _QUERY.sub(r"\1?***", message))
        hidden = _SERVICE_KEY.sub("clk_***", hidden)
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True
