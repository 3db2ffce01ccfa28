"""A round: each answer is stored, told and counted, whatever happens to the others."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from confluence_link import refresh
from confluence_link.models import OAuthAppHealth
from confluence_link.refresh import Outcome
from tests import grants


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_stored_was_stored_whatever_happens_to_its_app_s_row(
    settings, sandbox, cloud_grant
):
    """A plain answer, and one that ends a failure, which goes another way."""
    OAuthAppHealth.objects.update_or_create(
        oauth_app=cloud_grant.oauth_app, defaults={"consecutive_failures": 1}
    )
    for last_error in ("", "timeout"):
        grants.make_due(cloud_grant)
        type(cloud_grant).objects.update(last_error=last_error)
        with connection.execute_wrapper(_refuse_success):
            outcomes = refresh.refresh_batch([cloud_grant.pk])
        assert outcomes == [Outcome.REFRESHED]
    assert list(settings.CONFLUENCE_LINK_SPOOL_DIR.glob("*")) == []
    assert OAuthAppHealth.objects.get().consecutive_failures == 1


def _refuse_success(execute, sql, params, many, context):
    """The one write to an app's row that a success makes."""
    if sql.startswith("UPDATE") and '"last_success_at"' in sql:
        raise OperationalError("canceling statement due to lock timeout")
    return execute(sql, params, many, context)
