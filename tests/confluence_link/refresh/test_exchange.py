"""One exchange, and the time that it has."""

from __future__ import annotations

from confluence_link.http import Deadline
from confluence_link.refresh import claim
from confluence_link.refresh.exchange import Failure, exchange
from tests import grants


def test_f10_a_worker_that_was_stopped_under_its_lease_sends_nothing(
    sandbox, cloud_grant
):
    grants.make_due(cloud_grant)
    lease_id, (grant,) = claim.lease_due([cloud_grant.pk])
    before = sandbox.cloud.statistics["request.token"]
    leased = claim.open_leased(grant, lease_id)
    answer = exchange(leased, deadline=Deadline(0))
    assert answer == Failure("not_sent", "timeout")
    assert sandbox.cloud.statistics["request.token"] == before
