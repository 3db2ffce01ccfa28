"""One exchange: its answer is a value, whatever happens."""

from __future__ import annotations

import dataclasses
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from confluence_link.http import Deadline, NetworkPolicy
from confluence_link.refresh import claim
from confluence_link.refresh.exchange import (
    AT_SERVER,
    NOT_BEGUN,
    Failure,
    exchange,
    exchange_all,
)
from confluence_link.tokens import TokenSet
from tests import grants


@pytest.fixture
def leased(cloud_grant):
    grants.make_due(cloud_grant)
    lease_id, (row,) = claim.lease_due([cloud_grant.pk])
    return claim.open_leased(row, lease_id)


def test_an_answer_with_tokens_is_a_token_set(leased):
    assert isinstance(exchange(leased, deadline=Deadline(8)), TokenSet)


def test_a_fault_of_ours_is_in_doubt_and_told_without_its_text(leased, caplog):
    broken = dataclasses.replace(leased.endpoint, network_policy=None)
    leased = dataclasses.replace(leased, endpoint=broken)

    assert exchange(leased, deadline=Deadline(8)) == Failure("uncertain", "our_fault")
    assert "error=AttributeError" in caplog.text


def test_roots_that_cannot_be_read_are_an_answer_for_each_and_no_more(leased):
    policy = dataclasses.replace(leased.endpoint.network_policy, ca_bundle="no PEM")
    broken = dataclasses.replace(leased.endpoint, network_policy=policy)
    unreadable = dataclasses.replace(leased, endpoint=broken)

    answers = {
        one.endpoint.network_policy.ca_bundle: answer
        for came in exchange_all([unreadable, leased], begin_until=Deadline(8))
        for one, answer in came
    }

    assert answers["no PEM"] == Failure("not_sent", "tls")
    assert isinstance(answers[""], TokenSet)


def test_what_may_begin_does_not_wait_until_others_are_given_back(sandbox, leased):
    """Giving back asks the database, and afterwards the lease may be over."""
    before = sandbox.cloud.statistics["request.token"]
    held = dataclasses.replace(leased)
    answers = exchange_all(
        [held, leased], begin_until=Deadline(8), may_begin=lambda one: one is leased
    )

    assert next(answers) == [(held, NOT_BEGUN)]
    for _ in range(500):
        if sandbox.cloud.statistics["request.token"] > before:
            break
        time.sleep(0.01)
    else:
        pytest.fail("it was not sent")
    answers.close()


def test_f49_a_batch_with_two_secrets_has_no_more_connections_than_others(
    leased, monkeypatch
):
    monkeypatch.setattr("confluence_link.refresh.exchange.AT_ONCE", 2)
    assert _most_at_once(leased, 6, next_client_secret="the-next") == 2


def test_r06_a_server_is_asked_for_four_at_once_until_all_were(leased):
    assert _most_at_once(leased, 10, is_the_operators=False) == AT_SERVER


def test_r06_fewer_failures_than_that_end_no_batch_of_a_server(
    sandbox, data_center_grant
):
    """Grants that always fail are in doubt, and so the first of each batch."""
    grants.make_due(data_center_grant)
    lease_id, (row,) = claim.lease_due([data_center_grant.pk])
    leased = claim.open_leased(row, lease_id)
    sandbox.data_center.faults.add("token", "server_error", times=AT_SERVER - 1)
    came = [
        result
        for results in exchange_all([leased] * 8, begin_until=Deadline(8))
        for _, result in results
    ]
    assert NOT_BEGUN not in came


def test_f07_whoever_takes_no_more_answers_has_no_more_asked_for(
    sandbox, data_center_grant
):
    """Each is the only one that could store a successor."""
    grants.make_due(data_center_grant)
    lease_id, (row,) = claim.lease_due([data_center_grant.pk])
    leased = claim.open_leased(row, lease_id)
    before = sandbox.data_center.statistics["request.token"]
    answers = exchange_all([leased] * 20, begin_until=Deadline(8))
    while not next(answers):
        pass
    answers.close()
    assert sandbox.data_center.statistics["request.token"] - before <= AT_SERVER


def _most_at_once(leased, number, **of_endpoint):
    """So many of one app, at an endpoint that takes a while; all are answered."""
    counted = _Counted()
    with ThreadingHTTPServer(("127.0.0.1", 0), counted.handler()) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = dataclasses.replace(
            leased.endpoint,
            url=f"http://127.0.0.1:{server.server_port}/token",
            network_policy=NetworkPolicy(allow_http=True, allowed=("127.0.0.1",)),
            **of_endpoint,
        )
        one = dataclasses.replace(leased, endpoint=endpoint)
        came = list(exchange_all([one] * number, begin_until=Deadline(8)))
        server.shutdown()
    assert sum(map(len, came)) == number
    return counted.most


class _Counted:
    """How many requests were answered at the same moment, at most."""

    def __init__(self):
        self.most = self._now = 0
        self._lock = threading.Lock()

    def _count(self, number):
        with self._lock:
            self._now += number
            self.most = max(self.most, self._now)

    def handler(self):
        counted = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                counted._count(1)
                time.sleep(0.1)
                counted._count(-1)
                self.send_error(503)

            def log_message(self, *args):
                pass

        return Handler


def test_what_no_thread_can_be_started_for_is_sent_once_or_not_at_all(
    sandbox, leased, monkeypatch
):
    """One thread of three can be: it sends all that is in its line, or is told."""
    begin, started = threading.Thread.start, []

    def start(thread):
        if thread.name.startswith("ThreadPoolExecutor"):
            started.append(thread)
            if len(started) != 2:
                raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    own = dataclasses.replace(leased.endpoint, next_client_secret="CNRY-next")
    alone = [dataclasses.replace(leased, endpoint=own) for _ in range(3)]
    before = sandbox.cloud.statistics["request.token"]

    found = [
        answer
        for came in exchange_all(alone, begin_until=Deadline(8))
        for _, answer in came
    ]

    assert len(found) == 3
    sent = [one for one in found if isinstance(one, TokenSet)]
    assert found.count(Failure("not_sent", "connect")) == 3 - len(sent)
    assert sandbox.cloud.statistics["request.token"] == before + len(sent)


def test_the_rate_is_kept_while_a_client_secret_changes(leased):
    own = dataclasses.replace(leased.endpoint, next_client_secret="CNRY-next")
    changing = dataclasses.replace(leased, endpoint=own)

    begun = [
        answer
        for came in exchange_all(
            [changing] * 20, begin_until=Deadline(1), per_second=0.1
        )
        for _, answer in came
        if answer is not NOT_BEGUN
    ]

    assert len(begun) == 1
