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

    assert [step.name for step in steps] == [
        "Address",
        "Name",
        "Connection",
        "TLS",
        "State",
        "Product",
        "Version",
        "Server id",
        "Its own address",
        "https",
    ]
    assert {step.cure for step in steps} == {""}


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        # S06 to S09
        ("wiki.example.com", "https://"),
        ("file:///etc/passwd", "https://"),
        ("https://localhost\\@evil.example", "backslashes"),
        ("https://wiki.example.com:6379", "8443"),
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

    assert (step.name, step.found) == ("TLS", "tls")
    assert "version 1.2" in step.cure


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
    fields = {
        "id": "b1",
        "typeId": "confluence",
        "version": "9.2.4",
        "url": f"{wire.url}/wiki",
    }
    wire.answer("/wiki/rest/applinks/1.0/manifest", fields | manifest)
    return f"{wire.url}/wiki"


def test_s05_a_redirect_is_told_and_not_followed(wire):
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

    steps = {step.name: step for step in probe(f"{wire.url}/wiki", LOOPBACK)}

    assert (steps["Version"].found, steps["Server id"].found) == ("8.5.1", "1")
    assert {step.cure for step in steps.values()} == {""}


@pytest.mark.parametrize("url", ["https://wiki.example.com", "nonsense"])
def test_s13_a_server_that_calls_itself_otherwise_is_told(wire, url):
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


def test_an_answer_that_breaks_off_is_told(wire):
    wire.answer("/wiki/status", {"state": "RUNNING"})
    wire.answer("/wiki/rest/applinks/1.0/manifest", b"x" * 100_000)

    steps = list(probe(f"{wire.url}/wiki", LOOPBACK))

    assert [step.name for step in steps][-2:] == ["State", "Answer"]
    assert steps[-1].found == "too_large"


@pytest.mark.parametrize("server_id", ["", "a b", "<x>", "i" * 101])
def test_a_manifest_without_a_usable_id_is_told(wire, server_id):
    step = last(running(wire, id=server_id))

    assert (step.name, step.found) == ("Server id", "unreadable")


def test_another_server_in_the_place_of_the_known_one_is_told(sandbox):
    url = sandbox.data_center.url
    known = sandbox.data_center.server_id

    same = list(probe(url, LOOPBACK, known_id=known))[-1]
    other = list(probe(url, LOOPBACK, known_id="another"))[-1]

    assert same.cure == ""
    assert (other.name, other.found) == ("Server id", known)
    assert "does not know the people" in other.cure


def test_plain_http_is_told_on_both_sides_and_stops_nothing(sandbox, settings):
    step = last(sandbox.data_center.url)
    settings.PUBLIC_URL = "https://link.example.com"
    half = last(sandbox.data_center.url)

    assert (step.name, step.cure) == ("https", "")
    assert "the base and the redirect URL" in step.found
    assert "the base URL" in half.found
