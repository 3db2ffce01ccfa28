"""A bar for people who watch; silence for logs."""

from __future__ import annotations

import io

from django.core.management.base import OutputWrapper

from confluence_link.management.progress import Bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def drawn(out, *, total=10):
    bar = Bar(OutputWrapper(out), total=total)
    bar.advance("token sets", 4)
    bar.advance("client secrets", 6)
    bar.end()
    return out.getvalue()


def test_a_terminal_gets_a_bar_that_is_drawn_over_itself():
    line = drawn(Terminal())

    assert line.count("\r") == 2
    assert "[############..................]  40% 4 of 10, token sets" in line
    assert "[##############################] 100% 10 of 10, client secrets" in line
    assert line.endswith("\n")


def test_it_never_says_more_than_all():
    assert "120%" not in drawn(Terminal(), total=8)


def test_a_file_gets_nothing():
    assert drawn(io.StringIO()) == ""


def test_nothing_to_do_draws_nothing():
    bar = Bar(OutputWrapper(out := Terminal()), total=0)
    bar.end()

    assert out.getvalue() == ""
