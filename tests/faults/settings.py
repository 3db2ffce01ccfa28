"""Production, with points at which its processes may be ended or held."""

from __future__ import annotations

from config.settings.production import *  # noqa: F403  # settings are star-imported by design
from config.settings.production import CONFLUENCE_LINK_FAILPOINTS
from confluence_link import failpoints
from tests.faults.points import Points

if CONFLUENCE_LINK_FAILPOINTS:
    failpoints.arm(Points(CONFLUENCE_LINK_FAILPOINTS).reach)
# Every other settings module keeps it, and nothing starts.
CONFLUENCE_LINK_FAILPOINTS = ""
