"""Production, with points at which its processes may be ended or held.

`CLOCK_AHEAD_SECONDS` sets the process's clock wrong; what measures a span is right.
"""

from __future__ import annotations

from config.env import env
from config.settings.production import *  # noqa: F403  # settings are star-imported by design
from config.settings.production import CONFLUENCE_LINK_FAILPOINTS
from confluence_link import failpoints
from tests.faults.points import Points, set_clock

set_clock(env.float("CLOCK_AHEAD_SECONDS", default=0.0))
if CONFLUENCE_LINK_FAILPOINTS:
    failpoints.arm(Points(CONFLUENCE_LINK_FAILPOINTS).reach)
# Every other settings module keeps it, and nothing starts.
CONFLUENCE_LINK_FAILPOINTS = ""
