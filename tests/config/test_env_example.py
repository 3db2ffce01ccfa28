from __future__ import annotations

import re

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


def test_the_example_changes_nothing_before_it_is_edited():
    lines = (BASE_DIR / ".env.example").read_text().splitlines()

    assert all(line.startswith("#") for line in lines if line)
