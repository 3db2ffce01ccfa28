"""Response heads: small, well-formed, and readable in one way only."""

from __future__ import annotations

import http.client
import io
from typing import cast

from confluence_link.errors import TransportError

_MAX_HEAD_BYTES = 65_536


class StrictHead(http.client.HTTPResponse):
    """Raises TransportError("malformed") where http.client would make do."""

    def begin(self) -> None:
        stream = self.fp
        self.fp = cast("io.BufferedReader", _Limited(stream, _MAX_HEAD_BYTES))
        try:
            super().begin()
        except ConnectionError:
            # No answer at all, or half a head; RemoteDisconnected is both kinds.
            raise
        except http.client.HTTPException:
            raise TransportError("malformed", sent=True) from None
        finally:
            self.fp = stream
        if self.status < 200 or self.msg.defects or self._framing_is_odd():
            raise TransportError("malformed", sent=True)

    def _framing_is_odd(self) -> bool:
        # Two lengths, or a length and chunks, are how answers get smuggled.
        # Reference: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
        codings = self.msg.get_all("Transfer-Encoding", [])
        lengths = self.msg.get_all("Content-Length", [])
        if codings:
            return bool(lengths) or [c.strip().lower() for c in codings] != ["chunked"]
        return len(lengths) > 1 or not all(map(_is_length, lengths))


def _is_length(text: str) -> bool:
    return text.isascii() and text.strip().isdigit()


class _Limited:
    """The stream while the head is read; interim responses count as well."""

    def __init__(self, stream: io.BufferedReader, left: int) -> None:
        self._stream = stream
        self._left = left
        self._begun = False

    def readline(self, limit: int) -> bytes:
        line = self._stream.readline(limit)
        if not line and self._begun:
            # http.client takes the end of the stream for the end of the head.
            raise ConnectionResetError
        self._begun = True
        self._left -= len(line)
        if self._left < 0:
            raise http.client.HTTPException("the head is too large")
        return line

    def close(self) -> None:
        """Nothing: the stream goes back to the response, which closes it."""
