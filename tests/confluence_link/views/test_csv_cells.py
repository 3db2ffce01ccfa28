"""Cells that no spreadsheet program runs (H13, D06)."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from confluence_link.views.csv_cells import cell, csv_text


@pytest.mark.parametrize(
    "value",
    [
        "=cmd()",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\ufeff=1",
        "\u200b=1",
        "\u202e=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        "\x00=1",
    ],
    ids=ascii,
)
def test_d06_what_may_be_a_formula_stands_behind_an_apostrophe(value):
    assert cell(value).startswith("'")


@pytest.mark.parametrize("value", ["", "Northwind", "a=b", "x-y", "7", "  spaced", "é"])
def test_plain_text_stays_as_it_is(value):
    assert cell(value) == value


def test_a_nul_is_left_out():
    assert cell("a\0b") == "ab"


def test_rows_are_quoted_and_end_as_rfc_4180_says():
    assert csv_text([("a", 'b"c'), ("d,e", "f\ng")]) == (
        '\ufeff"a","b""c"\r\n"d,e","f\ng"\r\n'
    )


def test_what_was_written_is_read_again():
    rows = [["a", 'quote " comma , line\r\nend'], ["", "ü\u202e"]]
    text = csv_text(rows).removeprefix("\ufeff")

    assert list(csv.reader(StringIO(text, newline=""))) == rows
