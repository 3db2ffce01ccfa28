"""`DEBUG` alone chooses: off (the default) is production, on is a developer's machine.

Whoever names one of the modules, as the tests do, gets that one.
"""

from __future__ import annotations

from config.env import env

if env.str("DJANGO_SETTINGS_MODULE", default=__name__) == __name__:
    if env.bool("DEBUG", default=False):
        from config.settings.local import *  # noqa: F403  # settings are star-imported by design
    else:
        from config.settings.production import *  # noqa: F403  # the same
