"""Each step of a probe has its cure, against real servers."""

from __future__ import annotations

import pytest

from confluence_link.atlassian.probe import probe
from confluence_link.http import NetworkPolicy

LOOPBACK = NetworkPolicy(allow_http=True, allowed=("127.0.0.1",))
MANIFEST = (
    "<manifest><id>1</id><typeId>confluence</typeId>"
    "<version>{version}</version><url>{url}</url></manifest>"
)


def last(url, policy=LOOPBACK):
    return list(probe(url, policy))[-1]


@pytest.fixture
def behaviour(sandbox):
    return sandbox.data_center.behaviour


def test_every_step_of_a_good_server_is_without_cure(sandbox):
    steps = list(probe(sandbox.data_center.url, LOOPBACK))

    names = ["Address", "Connection", "State", "Product", "Version", "Its own address"]
    assert [step.name for step in steps] == names
    assert {step.cure for step in steps} == {""}


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("wiki.example.com", "https://"),
        ("https://me@wiki.example.com", "user name"),
        ("https://wiki.example.com/?a=b", "from ? or #"),
        ("https://wiki.example.com/..", "context path"),
        ("https://wiki.example.com:9", "8443"),
        ("https://wiki .example.com", "blanks"),
        ("https://-", "no host name"),
        ("https://10.0.0.1", "public internet"),
    ],
)
def test_a_wrong_address_is_told_without_a_connection(url, cure):
    (step,) = probe(url, NetworkPolicy())

    assert step.found == "refused"
    assert cure in step.cure


def test_nobody_at_the_port_is_told():
    step = last("http://127.0.0.1:1")

    assert (step.name, step.found) == ("Connection", "connect")
    assert "firewalls" in step.cure


def test_a_server_that_speaks_no_tls_is_told(sandbox):
    step = last(sandbox.data_center.url.replace("http:", "https:"))

    assert (step.name, step.found) == ("Connection", "tls")
    assert "CA bundle" in step.cure


@pytest.mark.parametrize("state", ["STARTING", "FIRST_RUN", "MAINTENANCE", "ERROR"])
def test_a_server_that_does_not_run_is_told_by_its_state(sandbox, behaviour, state):
    behaviour.state = state

    step = last(sandbox.data_center.url)

    assert (step.name, step.found) == ("State", state)
    assert step.cure


def test_a_missing_context_path_is_told(sandbox):
    step = last(sandbox.data_center.url.rpartition("/")[0])

    assert step.name == "State"
    assert "context path" in step.cure


@pytest.mark.parametrize(
    ("version", "cured"),
    [("7.16.5", True), ("7.17.0", False), ("10.1", False), ("new", True)],
)
def test_a_server_before_the_first_oauth_release_is_told(
    sandbox, behaviour, version, cured
):
    behaviour.server_version = version

    versions = [
        s for s in probe(sandbox.data_center.url, LOOPBACK) if s.name == "Version"
    ]

    assert [bool(step.cure) for step in versions] == [cured]


def running(wire, **manifest):
    """A server that runs, with this manifest."""
    wire.answer("/wiki/status", {"state": "RUNNING"})
    fields = {"typeId": "confluence", "version": "9.2.4", "url": f"{wire.url}/wiki"}
    wire.answer("/wiki/rest/applinks/1.0/manifest", fields | manifest)
    return f"{wire.url}/wiki"


def test_a_redirect_is_told_and_not_followed(wire):
    wire.answer("/wiki/status", {}, 302, Location=f"{wire.url}/elsewhere")

    step = last(f"{wire.url}/wiki")

    assert step.found == "redirected (302)"
    assert "where they end up" in step.cure
    assert [asked.path for asked in wire.asked] == ["/wiki/status"]


@pytest.mark.parametrize("body", [b"<html>", b"[]", {"state": 1}, {"state": "DANCING"}])
def test_something_else_at_the_address_is_told(wire, body):
    wire.answer("/wiki/status", body)

    step = last(f"{wire.url}/wiki")

    assert step.found == "unreadable (200)"
    assert "no Confluence" in step.cure


def test_another_product_is_told(wire):
    step = last(running(wire, typeId="jira"))

    assert (step.name, step.found) == ("Product", "unreadable (200)")


def test_a_manifest_in_xml_is_read(wire):
    wire.answer("/wiki/status", {"state": "RUNNING"})
    xml = MANIFEST.format(version="8.5.1", url=f"{wire.url}/wiki")
    wire.answer("/wiki/rest/applinks/1.0/manifest", xml.encode())

    steps = list(probe(f"{wire.url}/wiki", LOOPBACK))

    assert steps[-2].found == "8.5.1"
    assert steps[-1].cure == ""


@pytest.mark.parametrize("url", ["https://wiki.example.com", "nonsense"])
def test_a_server_that_calls_itself_otherwise_is_told(wire, url):
    step = last(running(wire, url=url))

    assert step.name == "Its own address"
    assert "Server Base URL" in step.cure


def test_a_slash_at_the_end_is_no_other_address(wire):
    assert last(running(wire, url=f"{wire.url}/wiki/")).cure == ""


def test_what_does_not_speak_http_is_told(wire):
    wire.answer("/wiki/status", b"x" * 100_000)

    step = last(f"{wire.url}/wiki")

    assert step.found == "too_large"
    assert "does not speak HTTP" in step.cure
