"""`DEBUG` alone chooses: off (the default) is production, on is a developer's machine."""

from __future__ import annotations

from config.env import env

if env.bool("DEBUG", default=False):
    from config.settings.local import *  # noqa: F403  # settings are star-imported by design
else:
    from config.settings.production import *  # noqa: F403  # the same
