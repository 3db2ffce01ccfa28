"""Whether a request left, where there is no answer."""

from __future__ import annotations

import json
import socket

import pytest
import trustme

from confluence_link.errors import TransportError
from confluence_link.http import BlockedAddress
from tests.confluence_link.http.conftest import server_context
from tests.confluence_link.http.servers import Server, answering, body
from tests.confluence_link.token_endpoint.exchanges import (
    GOOD,
    make_cloud,
    make_data_center,
    refresh,
)


def lost(app, **options):
    """The reason for which there is no answer, and whether a request left."""
    with pytest.raises(TransportError) as caught:
        refresh(app, **options)
    return caught.value.reason, caught.value.sent


def test_a_refused_connection_is_not_sent(cloud_at):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert lost(cloud_at(f"http://127.0.0.1:{port}/")) == ("connect", False)


def test_an_unknown_name_is_not_sent(cloud_at, monkeypatch):
    def unknown(*args, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert lost(cloud_at("https://auth.example.com/")) == ("dns", False)


def test_an_untrusted_certificate_is_not_sent_to(cloud_at):
    certificate = trustme.CA().issue_cert("127.0.0.1")

    with Server(answering(body(b"{}")), server_context(certificate)) as server:
        assert lost(cloud_at(server.url())) == ("tls", False)
    assert server.requests == []


def test_a_server_that_speaks_no_tls_is_not_sent_to(cloud_at):
    with Server(lambda peer: peer.send(b"HTTP/1.1 400 Bad\r\n\r\n")) as server:
        url = server.url().replace("http:", "https:")
        assert lost(cloud_at(url)) == ("tls", False)


def test_s04_a_blocked_address_is_not_sent_to(recorder, settings, db):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []
    app = make_data_center(recorder)

    with pytest.raises(BlockedAddress) as caught:
        refresh(app)

    assert (caught.value.reason, caught.value.sent) == ("blocked", False)
    assert recorder.connections == 0


def test_http_is_not_sent_where_the_operator_does_not_allow_it(recorder, settings, db):
    settings.CONFLUENCE_LINK_ALLOW_HTTP = False

    assert lost(make_data_center(recorder)) == ("blocked", False)
    assert recorder.connections == 0


def test_a_deadline_that_has_passed_sends_nothing(cloud_at, recorder):
    assert lost(cloud_at(recorder.url()), seconds=0) == ("timeout", False)
    assert recorder.requests == []


def test_a_silent_server_was_sent_to(cloud_at):
    def silent(peer):
        peer.read_request()
        peer.server.stopping.wait(10)

    with Server(silent) as server:
        assert lost(cloud_at(server.url()), seconds=0.3) == ("timeout", True)
    assert len(server.requests) == 1


def test_a_reset_after_the_request_was_sent(cloud_at):
    with Server(lambda peer: peer.read_request()) as server:
        assert lost(cloud_at(server.url())) == ("reset", True)


def test_an_answer_that_ends_too_early_was_sent(cloud_at):
    half = body(json.dumps(GOOD).encode())[:-20]

    with Server(answering(half)) as server:
        assert lost(cloud_at(server.url())) == ("reset", True)


def test_a_lost_answer_was_sent_and_the_exchange_happened(
    sandbox, cloud_app, cloud_token_set
):
    sandbox.cloud.faults.add("token", "drop_after", times=1)

    lost_one = lost(cloud_app, refresh_token=cloud_token_set.refresh_token)

    assert lost_one == ("reset", True)
    assert sandbox.cloud.statistics["exchange.refresh_token.ok"] == 1
    # Inside the leeway the same refresh token is exchanged once more.
    assert refresh(cloud_app, cloud_token_set.refresh_token).access_token


def test_s16_every_exchange_has_a_connection_of_its_own(db, settings):
    good = body(json.dumps(GOOD).encode())
    with Server(answering(good, good)) as server:
        settings.CONFLUENCE_CLOUD_TOKEN_URL = server.url()
        app = make_cloud()
        refresh(app)
        refresh(app)

    assert server.connections == 2
