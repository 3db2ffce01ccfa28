"""One exchange through the door: what leaves, what comes back, what is refused."""

from __future__ import annotations

import http.cookiejar
import json
import logging
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from confluence_link.errors import TransportError
from confluence_link.http import (
    BlockedAddress,
    Deadline,
    GuardedSession,
    NetworkPolicy,
)
from confluence_link.http.session import USER_AGENT
from tests.confluence_link.http.conftest import (
    LOCAL,
    bundle_of,
    server_context,
    to_loopback,
)
from tests.confluence_link.http.servers import OK, answering, body, keeping_alive

ROOT = Path(__file__).parents[3]

# With fullwidth dots and a fullwidth slash.
A08_PATHS = """
/a/../b /a/%2e%2e/b /a/.%2E/b /a/%252e%252e/b /a/..%2fb /a%5cb /a/..;/b //evil /a//b
/a/%00 /a/%0d%0ab /a/. /a/%2E%2E /a/%EF%BC%8E%EF%BC%8E/b /a%EF%BC%8Fb /ä /a|b /a[b
"""


def test_any_status_is_an_answer(serve, send):
    server = serve(answering(body(b"{}", "X-One: 1", status="503 Busy")))

    answer = send(server.url())

    assert (answer.status, answer.body, answer.headers["x-one"]) == (503, b"{}", "1")


def test_a_form_is_sent_urlencoded(serve, send):
    server = serve(answering(OK))

    send(server.url(path="/token"), method="POST", form={"code": "a b&c"})

    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == b"code=a+b%26c"
    assert b"POST /token HTTP/1.1" in head
    assert b"Content-Type: application/x-www-form-urlencoded" in head


def test_json_is_sent_as_json(serve, send):
    server = serve(answering(OK))

    send(server.url(), method="POST", json={"a": ["ü"]})

    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert json.loads(sent) == {"a": ["ü"]}
    assert b"Content-Type: application/json" in head


def test_a_body_is_sent_as_it_is(serve, send):
    server = serve(answering(OK))

    send(server.url(), method="PUT", body=b"\x00\xff", headers={"Content-Type": "x/y"})

    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == b"\x00\xff"
    assert b"Content-Type: x/y" in head


def test_parameters_join_the_query_of_the_url(serve, send):
    server = serve(answering(OK))

    send(server.url(path="/search?a=1"), params=[("b", "ü"), ("b", "&")])

    assert server.requests[0].startswith(b"GET /search?a=1&b=%C3%BC&b=%26 HTTP/1.1")


def test_the_head_of_a_request_names_us_and_asks_for_no_compression(serve, send):
    server = serve(answering(OK))

    send(server.url(), headers={"Authorization": "Bearer x", "Accept": "a/b"})

    lines = set(server.requests[0].split(b"\r\n"))
    assert {
        b"Host: 127.0.0.1:%d" % server.port,
        b"Authorization: Bearer x",
        b"Accept: a/b",
        b"Accept-Encoding: identity",
        b"User-Agent: " + USER_AGENT.encode(),
    } <= lines


def test_the_version_that_we_name_is_ours():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert f"{project['name']}/{project['version']}" == USER_AGENT


def test_what_frames_or_routes_a_request_is_not_for_callers_to_set(serve, send):
    server = serve(answering(OK))
    theirs = {
        "Host": "evil",
        "Cookie": "evil",
        "Connection": "evil",
        "Transfer-Encoding": "evil",
        "Content-Length": "7",
        "accept-encoding": "evil",
        "user-agent": "evil",
    }

    send(server.url(), headers=theirs)

    assert b"evil" not in server.requests[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_s05_a_redirect_is_not_followed(serve, send, status):
    other = serve(answering(OK))
    server = serve(
        answering(body(b"", f"Location: {other.url()}", status=f"{status} Go"))
    )

    answer = send(server.url(), method="POST", form={"code": "x"})

    assert answer.status == status
    assert other.connections == 0


def test_s05_a_redirect_to_the_same_place_is_not_followed_either(serve, send):
    server = serve(keeping_alive(body(b"", "Location: /next", status="303 See")))

    assert send(server.url(), method="POST", form={"code": "x"}).status == 303
    assert len(server.requests) == 1


def test_s05_a_redirect_away_from_tls_is_not_followed(serve, send, authority):
    plain = serve(answering(OK))
    moved = body(b"", f"Location: {plain.url()}", status="302 Go")
    context = server_context(authority.issue_cert("127.0.0.1"))
    server = serve(answering(moved), tls=context)
    policy = replace(LOCAL, ca_bundle=bundle_of(authority))

    assert send(server.url(), policy=policy).status == 302
    assert plain.connections == 0


@pytest.mark.parametrize(
    "path",
    A08_PATHS.split(),
)
def test_a08_a_path_that_could_lead_elsewhere_is_not_sent(serve, refusal, path):
    server = serve(answering(OK))

    assert refusal(server.url(path=path)) == ("blocked", False)
    assert server.connections == 0


@pytest.mark.parametrize("path", ["", "/", "/a/", "/%7euser/%c3%bc", "/a%20b/@me:1,2"])
def test_s09_a_harmless_path_leaves_unchanged_but_for_notation(serve, send, path):
    server = serve(answering(OK))

    assert send(server.url(path=path)).status == 200


def test_s09_a_url_that_requests_would_lead_elsewhere_is_not_sent(
    serve, refusal, monkeypatch
):
    server = serve(answering(OK))

    def rewriting(prepared, url, params):
        prepared.url = server.url(path="/elsewhere")

    # A stand-in for another release of requests; this one cannot be made to do it.
    monkeypatch.setattr(requests.PreparedRequest, "prepare_url", rewriting)

    assert refusal(server.url(path="/here")) == ("blocked", False)
    assert server.connections == 0


def test_a_query_with_control_characters_is_not_sent(refusal):
    assert refusal("https://wiki.example/?a=ü") == ("blocked", False)


@pytest.mark.parametrize(
    ("url", "policy"),
    [
        ("http://127.0.0.1:9", NetworkPolicy(allowed=("127.0.0.1",))),
        ("https://127.0.0.1", NetworkPolicy()),
        ("https://wiki.example:9", NetworkPolicy()),
        ("https://user@wiki.example", NetworkPolicy()),
        ("ftp://wiki.example", NetworkPolicy()),
    ],
)
def test_the_policy_holds_for_every_request(refusal, url, policy):
    assert refusal(url, policy=policy) == ("blocked", False)


def test_a_refusal_of_the_guard_keeps_its_word(send):
    with pytest.raises(BlockedAddress) as caught:
        send("https://wiki.example:22", policy=NetworkPolicy())

    assert caught.value.detail == "port"


def test_s11_proxies_netrc_and_certificate_paths_of_the_environment_are_ignored(
    serve, send, monkeypatch, tmp_path
):
    server, proxy = serve(answering(OK)), serve(answering(OK))
    netrc = tmp_path / "netrc"
    netrc.write_text("default login evil password evil\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.url())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    monkeypatch.setenv("NO_PROXY", "")

    assert send(server.url()).status == 200
    assert proxy.connections == 0
    assert b"Authorization" not in server.requests[0]


def test_h17_cookies_are_not_kept(serve):
    server = serve(keeping_alive(body(b"", "Set-Cookie: JSESSIONID=1; Path=/")))

    with GuardedSession(LOCAL) as session:
        for _ in range(2):
            session.send("GET", server.url(), deadline=Deadline(5), max_bytes=9)

    assert b"Cookie" not in server.requests[1]


def test_a_strange_cookie_does_no_harm(serve, send, monkeypatch):
    # http.cookiejar prints what it cannot read, so it must not see it.
    monkeypatch.setattr(http.cookiejar, "debug", True)
    server = serve(answering(body(b"", "Set-Cookie: a=b; expires=\xff; version=x")))

    assert send(server.url()).status == 200


def test_connections_are_kept_while_the_session_is_open(serve):
    server = serve(keeping_alive())

    with GuardedSession(LOCAL) as session:
        for _ in range(3):
            session.send("GET", server.url(), deadline=Deadline(5), max_bytes=9)

    assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("POST", b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_a_connection_is_kept_after_an_answer_without_a_body(serve, method, answer):
    server = serve(keeping_alive(answer))

    with GuardedSession(LOCAL) as session:
        for _ in range(2):
            session.send(method, server.url(), deadline=Deadline(5), max_bytes=9)

    assert server.connections == 1


def test_s16_what_follows_an_answer_unasked_is_no_answer_to_the_next(serve):
    server = serve(answering(OK + body(b"evil"), OK))

    with GuardedSession(LOCAL) as session:
        for _ in range(2):
            answer = session.send(
                "GET", server.url(), deadline=Deadline(5), max_bytes=9
            )

    assert answer.body == b"ok"


def test_s16_sessions_share_no_connection(serve, send):
    server = serve(keeping_alive())

    send(server.url())
    send(server.url())

    assert server.connections == 2


def test_a_closed_session_that_never_sent_has_nothing_to_close():
    with GuardedSession(LOCAL):
        pass


def test_a_connection_that_the_peer_closed_is_replaced(serve):
    server = serve(answering(OK))

    with GuardedSession(LOCAL) as session:
        for _ in range(2):
            answer = session.send(
                "GET", server.url(), deadline=Deadline(5), max_bytes=9
            )
            assert server.ended.acquire(timeout=5)

    assert (answer.status, server.connections) == (200, 2)


@pytest.mark.parametrize(
    "rest",
    [
        {"headers": {"X": "a\r\nb"}},
        {"headers": {"X": "\u20ac"}},
        {"method": "GE T"},
        {"json": float("nan"), "method": "POST"},
    ],
)
def test_a_request_that_cannot_be_written_is_not_sent(serve, refusal, rest):
    server = serve(answering(OK))

    assert refusal(server.url(), **rest) == ("malformed", False)
    assert server.requests == []


SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "answer",
    [b"", b"junk\r\n\r\n", body(b"x" * 99), b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"],
)
def test_errors_and_logs_hold_nothing_of_the_exchange(serve, send, caplog, answer):
    caplog.set_level(logging.DEBUG)
    server = serve(answering(answer.replace(b"x" * 9, SECRET.encode())))

    with pytest.raises(TransportError) as caught:
        send(
            server.url(path=f"/?code={SECRET}"),
            method="POST",
            form={"a": SECRET},
            headers={"Authorization": SECRET},
            max_bytes=9,
        )

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert SECRET not in str(caught.value) + caplog.text
    entries = list(caught.traceback)
    assert entries[-1].path.name == "session.py"


def test_a_good_exchange_is_not_logged_either(serve, send, caplog):
    caplog.set_level(logging.DEBUG)
    server = serve(answering(OK))

    send(server.url(path=f"/?code={SECRET}"))

    assert caplog.text == ""


def test_h17_a_bundle_without_certificates_fails_the_request(refusal):
    policy = NetworkPolicy(ca_bundle="no certificate")

    assert refusal("https://wiki.example", policy=policy) == ("tls", False)


def test_the_default_resolver_is_the_one_of_the_machine(serve):
    server = serve(keeping_alive())
    policy = NetworkPolicy(allow_http=True, allowed=("localhost",))

    with GuardedSession(policy) as session:
        answer = session.send(
            "GET", server.url("localhost"), deadline=Deadline(5), max_bytes=9
        )

    assert answer.body == b"ok"
    assert to_loopback("localhost", 1) == ["127.0.0.1"]
