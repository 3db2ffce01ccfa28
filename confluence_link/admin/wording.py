"""How several pages say the same thing: a moment, an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from confluence_link.models import Grant


def moment(at: datetime | None) -> str:
    """Short enough for a column; the service runs in UTC."""
    return f"{at:%Y-%m-%d %H:%M}" if at else "-"


def account_name(grant: Grant) -> str:
    """The account's own name is gone once it is unlinked."""
    return grant.account_name or grant.account_id
