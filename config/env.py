"""The one reader of the process environment and of the `.env` file."""

from __future__ import annotations

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
# Variables of the process win over the file, so that a container or a shell
# can override a developer's `.env`.
env.read_env(BASE_DIR / ".env", overwrite=False)
