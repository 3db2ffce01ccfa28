"""One sweep without Celery."""

from __future__ import annotations

from io import StringIO

from django.core.management import call_command

from tests import grants


def refresh_grants():
    out = StringIO()
    call_command("refresh_grants", stdout=out)
    return out.getvalue().strip()


def test_what_is_due_is_refreshed_once(sandbox, cloud_grant):
    grants.make_due(cloud_grant)

    assert refresh_grants() == "1 due: 1 refreshed."
    assert refresh_grants() == "0 due."

    assert grants.again(cloud_grant).generation == cloud_grant.generation + 1
    assert sandbox.cloud.statistics["exchange.refresh_token.ok"] == 1


def test_what_went_wrong_is_counted_by_its_class(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "server_error", times=1)
    grants.make_due(cloud_grant)

    assert refresh_grants() == "1 due: 1 uncertain."
