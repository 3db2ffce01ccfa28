"""CSV that a spreadsheet program shows and does not run."""

from __future__ import annotations

import csv
import unicodedata
from io import StringIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Without it, spreadsheet programs read a file in an encoding of their own.
_BYTE_ORDER_MARK: Final = "\ufeff"
# What begins a formula, in full width too.
_FORMULA: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Every cell quoted, lines ended by CR and LF.

    Reference: https://www.rfc-editor.org/rfc/rfc4180#section-2
    Reference: https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = StringIO(newline="")
    text.write(_BYTE_ORDER_MARK)
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def cell(value: str) -> str:
    """The value, behind an apostrophe if a program could take it for a formula."""
    value = value.replace("\0", "")
    seen = next((each for each in value if not _is_unseen(each)), "")
    return f"'{value}" if value[:1] in _FORMULA or seen in _FORMULA else value


def _is_unseen(character: str) -> bool:
    """Spaces, and characters of no width: programs look behind them."""
    return character.isspace() or unicodedata.category(character) in {"Cf", "Cc"}
