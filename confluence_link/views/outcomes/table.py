"""OUTCOMES: the words for each `LinkRefused.reason` and each class of error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluence_link.views.outcomes.broken_answers import BROKEN_ANSWERS
from confluence_link.views.outcomes.link_refusals import LINK_REFUSALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluence_link.errors import ConfluenceLinkError
    from confluence_link.views.outcomes.outcome import Outcome

OUTCOMES: Mapping[str | type[ConfluenceLinkError], Outcome] = {
    **LINK_REFUSALS,
    **BROKEN_ANSWERS,
}
