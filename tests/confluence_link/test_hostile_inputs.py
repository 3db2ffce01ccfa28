"""R08: whatever people or servers send, reading it takes next to no time."""

from __future__ import annotations

import itertools
import time
from contextlib import suppress

import pytest

from confluence_link.atlassian import paging, probe, remote_values
from confluence_link.client import text_query
from confluence_link.errors import ConfluenceLinkError
from confluence_link.http import (
    Answer,
    NetworkPolicy,
    check_base_url,
    check_proxy_url,
    unreadable_entries,
)
from confluence_link.http.target import read_target
from confluence_link.vault import certificates
from tests.confluence_link.atlassian.wire import Wire
from tests.confluence_link.http.conftest import LOCAL

LENGTH = 100_000
SECONDS = 0.05
POLICY = NetworkPolicy(allowed=("10.0.0.0/8",))

# Repeated until they are long; each is what some pattern could stumble over.
PIECES = [
    "a",
    "a.",
    "a-",
    "-",
    "/",
    "/.",
    "/a",
    "%25",
    ":",
    "[",
    "1",
    " ",
    "\t",
    "<",
    "<id>",
    "<id> ",
    "\u0130",
    "①",
    "ä",
    "\ud800",
    "-----BEGIN A-----",
    "-----BEGIN CERTIFICATE-----\n",
    "<x>; ",
    '"',
    "[[",
]
STARTS = ["", "https://", "https://wiki.example/", "https://a.example?", "http://["]


def answer(text):
    headers = {"Link": text, "Retry-After": text}
    return Answer(200, headers, text.encode(errors="replace"))


READERS = {
    "base_url": lambda text: check_base_url(text, POLICY),
    "proxy_url": lambda text: check_proxy_url(text, POLICY),
    "target": read_target,
    "allowed": lambda text: unreadable_entries([text]),
    "certificate": certificates.read,
    "json": lambda text: answer(text).json(),
    "retry_after": lambda text: answer(text).retry_after_seconds,
    "is_html": lambda text: answer(text).is_html,
    "link": lambda text: paging.next_cursor(answer(text), {}, ""),
    "next": lambda text: paging.next_cursor(answer(""), {"_links": {"next": text}}, ""),
    "cursor": lambda text: paging.cursor_params(text, 5),
    "web_url": lambda text: remote_values.web_url(text, like="https://a.example"),
    "name": remote_values.name,
    "search": text_query,
}


@pytest.mark.parametrize("reader", READERS)
def test_r08_a_hundred_thousand_characters_are_read_in_no_time(reader):
    for start, piece in itertools.product(STARTS, PIECES):
        text = (start + piece * LENGTH)[:LENGTH]
        # Of this thread alone: the machine may be busy.
        began = time.thread_time()

        with suppress(ConfluenceLinkError):
            READERS[reader](text)

        assert time.thread_time() - began < SECONDS, (start, piece)


@pytest.mark.parametrize("piece", ["<", "<id>", "<id> ", "<id>a", "<id>a ", "[", "{"])
def test_r08_a_manifest_that_is_none_is_read_in_no_time(piece):
    with Wire() as wire:
        wire.answer("/status", {"state": "RUNNING"})
        manifest = (piece * probe.MAX_BYTES)[: probe.MAX_BYTES].encode()
        wire.answer("/rest/applinks/1.0/manifest", manifest)
        began = time.thread_time()

        steps = list(probe.probe(wire.url, LOCAL))

        assert time.thread_time() - began < 2 * SECONDS
    assert steps[-1].name == "Product"
