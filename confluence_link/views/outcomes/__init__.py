"""Our own words for everything that can go wrong, and the pages that say them."""

from __future__ import annotations

from confluence_link.views.outcomes.link_refusals import OUTCOMES
from confluence_link.views.outcomes.outcome import Outcome
from confluence_link.views.outcomes.refusal_page import refusal_page
from confluence_link.views.outcomes.trouble import Trouble, trouble_of

__all__ = ["OUTCOMES", "Outcome", "Trouble", "refusal_page", "trouble_of"]
