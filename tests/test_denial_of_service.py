"""R08: what reads text does work in proportion to it, whatever the text is.

The bar is 50 ms for 100 kB. A clock would measure the machine, so one run measures
a tenth of an input and all of it: work that grows with the square takes a hundred
times as long, and is found.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

import accounts
import config
import confluence_link
from accounts.adapters import public
from accounts.mails import one_line
from config.logs import HideCallbackQuery
from confluence_link.atlassian import remote_values, storage_format
from confluence_link.client import text_query
from confluence_link.errors import ConfluenceLinkError
from confluence_link.http.target import parsed
from confluence_link.models import OAuthApp
from confluence_link.token_endpoint import _is_refused
from confluence_link.views.timeline_cursor import TimelineCursor

LENGTH = 100_000
# For a tenth of the input: ten is linear, a hundred is the square.
MOST = 40
# Seconds of this thread below which a measurement says nothing.
NOTICEABLE = 0.002

# What is repeated, and what ends it so that a match fails at last.
PARTS = (
    *("a", "0", " ", "\n", "\r\n", "\t", "<", ">", "&", "/", ".", "-", "%", '"', "'"),
    *("a.", "a-", "a ", "a\n", "1.", "-a", "./", "[", "{", ":", ";", "@", "_", "é"),
    *("<a ", "<a>", "<a/", "<a b='", '<a b="c" ', "</a>", "<!--", "<![CDATA[", "]]>"),
    *("&#", "&a", "&amp;", "<id>", "<id> ", "<ac:link>", '<ac:link><ri:page a="'),
    *(
        "/callback/?",
        "/confirm-email/",
        "clk_",
        "https://a.",
        "//",
        "-----BEGIN A-----",
    ),
    *("<x>;", '<x> ; rel="', "start:", "P1D", "xn--a.", "a@a.", "1,", "P"),
)
ENDS = ("", "!")


def shapes(length):
    for part in PARTS:
        for end in ENDS:
            yield (part * (length // len(part) + 1))[:length] + end


def seconds_for(read, text):
    before = time.thread_time()
    read(text)
    return time.thread_time() - before


def least_seconds_for(read, text):
    """Of three runs, so that no pause of the machine counts."""
    return min(seconds_for(read, text) for _ in range(3))


def assert_linear(read):
    for short, long in zip(shapes(LENGTH // 10), shapes(LENGTH), strict=True):
        if seconds_for(read, long) < NOTICEABLE:
            continue
        least = max(least_seconds_for(read, short), NOTICEABLE / 10)
        times = least_seconds_for(read, long) / least
        assert times < MOST, f"{times:.0f} times for {long[:30]!r}"


def modules():
    for package in (accounts, config, confluence_link):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # Those that start something when they are imported have no patterns.
            if not re.search(r"\.(migrations|run|settings|[aw]sgi)\b", found.name):
                yield importlib.import_module(found.name)


def patterns():
    """Each regular expression that a module of ours keeps, as our code uses it.

    One that is not searched with is matched as a whole.
    """
    found = list(modules())
    sources = "\n".join(Path(str(each.__file__)).read_text() for each in found)
    for module in found:
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                searched = rf"\b{name}\.(search|sub|split|findall|finditer)\("
                yield name, value, bool(re.search(searched, sources))


def reader_of(pattern, searched):
    read = pattern.fullmatch
    if searched:

        def read(text):
            return sum(1 for _ in pattern.finditer(text))

    if isinstance(pattern.pattern, bytes):
        return lambda text: read(text.encode())
    return read


def test_r08_every_pattern_reads_in_linear_time():
    known = set(patterns())
    assert len(known) > 25
    assert 5 < sum(searched for _, _, searched in known) < len(known)
    for _, pattern, searched in known:
        assert_linear(reader_of(pattern, searched))


def hidden_line(text):
    HideCallbackQuery().filter(
        logging.LogRecord("name", logging.INFO, "", 0, "%s", (text,), None)
    )


def checked_app(text):
    """As the forms of operators and organizations check it."""
    app = OAuthApp(base_url=text, provider_id=text, name=text, client_id=text)
    app.clean_fields(exclude=["organization"])


def quietly(read):
    """Refusing is an answer, too."""

    def tried(text):
        with suppress(ConfluenceLinkError, ValidationError, ValueError):
            read(text)

    return tried


@pytest.mark.parametrize(
    "read",
    [
        storage_format.to_safe_html,
        storage_format.from_plain_text,
        remote_values.name,
        remote_values.document,
        remote_values.link_path,
        lambda text: remote_values.scopes(text.split()),
        lambda text: remote_values.web_url(text, like="https://a.test"),
        text_query,
        parsed,
        public,
        one_line,
        TimelineCursor.parse,
        hidden_line,
        checked_app,
        lambda text: _is_refused("", {"error_description": text}, "refresh_token"),
    ],
    ids=lambda read: read.__name__,
)
def test_r08_every_reader_reads_in_linear_time(read):
    assert_linear(quietly(read))


def test_r08_what_takes_the_square_is_found():
    """The measure itself: a pattern that is known to be bad does not pass."""
    bad = re.compile(r"(?:a|b)*c")
    with pytest.raises(AssertionError, match=r"\d+ times"):
        assert_linear(lambda text: reader_of(bad, True)(text[: len(text) // 10]))
