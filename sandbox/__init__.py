"""A stand-in Atlassian to run and test against: Cloud and Data Center as real
HTTP servers on loopback. It imports nothing of the other packages.

`python -m sandbox` runs it; `with sandbox.running() as box:` runs it inside a
test. See `sandbox/README.md`.
"""

from __future__ import annotations

from sandbox.clock import Clock
from sandbox.sandbox import Sandbox, running
from sandbox.settings import (
    ClientRegistration,
    CloudSettings,
    DataCenterSettings,
    Settings,
)

__all__ = [
    "ClientRegistration",
    "Clock",
    "CloudSettings",
    "DataCenterSettings",
    "Sandbox",
    "Settings",
    "running",
]
