"""One exchange: its answer is a value, whatever happens."""

from __future__ import annotations

import dataclasses

import pytest

from confluence_link.http import Deadline
from confluence_link.refresh import claim
from confluence_link.refresh.exchange import Failure, exchange, exchange_all
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
