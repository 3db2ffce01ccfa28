"""Points at which tests kill processes; nothing happens there otherwise."""

from __future__ import annotations

import ast

import pytest

from config.env import BASE_DIR
from confluence_link import failpoints


@pytest.fixture
def reached():
    names = []
    failpoints.arm(names.append)
    yield names
    failpoints.arm(None)


@pytest.mark.parametrize("name", failpoints.NAMES)
def test_nothing_happens_at_a_point(name):
    failpoints.reach(name)


def test_a_test_says_what_happens(reached):
    failpoints.reach("answered")
    failpoints.reach("stored")

    assert reached == ["answered", "stored"]


def test_every_point_that_the_code_reaches_is_known():
    found = {
        node.args[0].value
        for path in (BASE_DIR / "confluence_link").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "failpoints.reach"
    }

    assert found <= set(failpoints.NAMES)
