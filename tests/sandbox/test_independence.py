from __future__ import annotations

import ast
from pathlib import Path

import sandbox

OURS = {"accounts", "config", "confluence_link"}


def imported_by(module):
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_sandbox_knows_nothing_of_what_it_tests():
    modules = list(Path(sandbox.__file__).parent.rglob("*.py"))

    assert modules
    assert not OURS & {name for module in modules for name in imported_by(module)}
