from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from config.env import BASE_DIR

SETTINGS = BASE_DIR / "config" / "settings"
# Only the settings of a test may be given these; nothing else starts with them.
FORBIDDEN = {"CONFLUENCE_LINK_FAILPOINTS"}
READ = re.compile(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"')


def documented() -> set[str]:
    text = (BASE_DIR / ".env.example").read_text()
    return set(re.findall(r"^#([A-Z_]+)=", text, re.MULTILINE))


def read_by(module: str) -> set[str]:
    return set(READ.findall((SETTINGS / module).read_text())) - FORBIDDEN


@pytest.mark.parametrize("module", ["base.py", "local.py", "production.py"])
def test_every_variable_that_settings_read_is_in_the_example(module):
    assert read_by(module) <= documented()


def test_the_example_names_no_variable_that_nobody_reads():
    modules = ("__init__.py", "base.py", "local.py", "production.py")
    assert documented() <= set.union(*map(read_by, modules))


SHOW = """
from importlib import import_module
import environ
environ.Env.read_env = lambda *place, **options: None
for name in ("base", "production"):
    settings = import_module(f"config.settings.{name}")
    for key in filter(str.isupper, dir(settings)):
        print(key, repr(getattr(settings, key)))
"""


def test_the_example_has_the_defaults_of_the_code():
    """A copy of it in which every line counts changes nothing."""
    lines = re.findall(
        r"^#([A-Z_]+)=(.*)$", (BASE_DIR / ".env.example").read_text(), re.MULTILINE
    )
    needed = {"SECRET_KEY": "x", "PUBLIC_URL": "https://link.example.com"}

    assert settings_under(dict(lines) | needed) == settings_under(needed)


def settings_under(variables):
    """Of production, without a developer's `.env`; files by where they lie."""
    shown = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "x", **variables},
        cwd=BASE_DIR,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return shown.replace(f"{BASE_DIR}/var", "var").splitlines()


def test_the_example_changes_nothing_before_it_is_edited():
    lines = (BASE_DIR / ".env.example").read_text().splitlines()

    assert all(line.startswith("#") for line in lines if line)
