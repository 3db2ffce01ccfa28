"""Each number of the list of threats is promised a test that is named after it."""

from __future__ import annotations

import ast
import re
from itertools import takewhile
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
IS_NUMBER = re.compile(r"[a-z]\d\d").fullmatch
# Linking, tenancy, the addresses of servers, denial of service, faults.
PROMISED = {
    "l": range(1, 43),
    "t": range(1, 20),
    "s": range(1, 18),
    "r": range(1, 10),
    "f": range(1, 52),
}
NUMBERS = [
    f"{letter}{number:02}" for letter, range_ in PROMISED.items() for number in range_
]


def named_in(directory):
    """What begins the names of tests: `f35`, `f42` of `test_f35_f42_servers_that…`."""
    return {
        number
        for path in directory.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for number in takewhile(IS_NUMBER, node.name.split("_")[1:])
    }


@pytest.fixture(scope="session")
def named():
    return named_in(TESTS)


@pytest.fixture(scope="session")
def named_among_faults():
    return named_in(TESTS / "faults")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_threat_has_a_test_of_its_number(named, number):
    assert number in named


@pytest.mark.parametrize("number", [n for n in NUMBERS if n.startswith("f")])
def test_a_fault_has_a_test_with_real_processes(named_among_faults, number):
    assert number in named_among_faults


@pytest.mark.parametrize("letter", "abcdefghij")
def test_a_defect_of_stock_allauth_has_a_test_of_its_letter(letter):
    source = (TESTS / "confluence_link" / "test_adapters.py").read_text()
    source += (TESTS / "confluence_link" / "test_provider.py").read_text()
    assert f"def test_allauth_defect_{letter}_" in source
