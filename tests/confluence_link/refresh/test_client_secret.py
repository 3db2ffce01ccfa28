"""F49: a client secret is changed while the server knows two, and nothing fails."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from accounts.isolation import acting_for
from confluence_link import refresh, vault
from confluence_link.models import Event, Grant, OAuthApp, OAuthAppHealth
from confluence_link.refresh import Outcome, client_secret
from tests import grants

NEW = "CNRY-the-next-secret"


@pytest.fixture(params=["cloud", "data_center"])
def grant(request):
    return request.getfixturevalue(f"{request.param}_grant")


@pytest.fixture
def part(sandbox, grant):
    """The sandbox's side of the grant's app."""
    return getattr(sandbox, grant.oauth_app.deployment)


@pytest.fixture
def app(grant):
    return grant.oauth_app


def enter_next_secret(app, secret=NEW):
    vault.seal_next_client_secret(app, secret)
    app.save()


def refreshed(*due):
    for grant in due:
        grants.make_due(grant)
    return refresh.refresh_batch([grant.pk for grant in due])


def secrets_of(app):
    row = OAuthApp.objects.get(pk=app.pk)
    return vault.open_client_secret(row), vault.open_next_client_secret(row)


def failures():
    kinds = [Event.Kind.REFRESH_FAILED, Event.Kind.CONFIGURATION_REFUSED]
    return Event.objects.filter(kind__in=kinds)


def test_f49_the_new_secret_may_be_entered_before_the_server_knows_it(app, grant, part):
    old = part.client.client_secret
    enter_next_secret(app)

    # Only the old one is known; then both; then only the new one.
    assert refreshed(grant) == [Outcome.REFRESHED]
    part.rotate_client_secret(NEW, keep_old=True)
    assert refreshed(grant) == [Outcome.REFRESHED]
    assert secrets_of(app) == (old, NEW)
    part.rotate_client_secret(NEW)
    assert refreshed(grant) == [Outcome.REFRESHED]

    assert secrets_of(app) == (NEW, "")
    assert not failures().exists()


def test_f49_the_new_secret_may_be_entered_while_the_server_knows_both(
    app, grant, part
):
    part.rotate_client_secret(NEW, keep_old=True)
    assert refreshed(grant) == [Outcome.REFRESHED]
    enter_next_secret(app)
    part.rotate_client_secret(NEW)

    assert refreshed(grant) == [Outcome.REFRESHED]
    assert secrets_of(app) == (NEW, "")
    assert not failures().exists()


def test_f49_of_many_grants_none_fails_and_one_changes_the_secret(app, grant, part):
    # They share one refresh token, so that some may be refused, but not our client.
    copies = [grants.copy_of(grant) for _ in range(3)]
    enter_next_secret(app)
    part.rotate_client_secret(NEW)

    assert Outcome.CONFIGURATION not in refreshed(grant, *copies)
    assert Event.objects.filter(kind=Event.Kind.SECRET_CHANGED).count() == 1
    assert not Event.objects.filter(kind=Event.Kind.CONFIGURATION_REFUSED).exists()


def test_f49_a_code_is_exchanged_by_the_new_secret_too(
    sandbox, app, grant, part, alice, organization
):
    enter_next_secret(app)
    part.rotate_client_secret(NEW)
    link = grants.link_cloud if part is sandbox.cloud else grants.link_data_center

    again = link(sandbox, app, user=alice, organization=organization)

    assert again.epoch == grant.epoch + 1
    assert secrets_of(app) == (NEW, "")
    assert not failures().exists()


def test_the_change_is_recorded_and_touches_no_breaker(app, grant, part):
    app.organization = grant.linked_sites.get().organization
    enter_next_secret(app)
    part.rotate_client_secret(NEW)
    refreshed(grant)

    event = Event.objects.get(kind=Event.Kind.SECRET_CHANGED)
    assert (event.oauth_app, event.organization) == (app, app.organization)
    assert event.facts == {}
    health = OAuthAppHealth.objects.get()
    assert (health.consecutive_failures, health.openings, health.last_error) == (
        0,
        0,
        "",
    )


def test_the_next_secret_is_not_sent_while_the_current_one_works(app, grant, part):
    enter_next_secret(app)
    before = part.statistics["request.token"]
    refreshed(grant)

    assert part.statistics["request.token"] == before + 1


def test_two_wrong_secrets_are_one_refusal_of_the_settings(app, grant, part):
    enter_next_secret(app)
    part.rotate_client_secret("another")

    assert refreshed(grant) == [Outcome.CONFIGURATION]
    assert secrets_of(app)[1] == NEW
    assert OAuthAppHealth.objects.get().openings == 1
    assert Grant.objects.get().status == Grant.Status.ACTIVE


def test_a_grant_that_is_dead_is_refused_by_the_new_secret(app, grant, part):
    """Past the client, the answer is about the grant, and proves no secret."""
    enter_next_secret(app)
    part.rotate_client_secret(NEW)
    part.revoke("alice" if app.deployment == "cloud" else "dora")

    assert refreshed(grant) == [Outcome.REFUSED]
    assert secrets_of(app)[1] == NEW


def test_a_next_secret_that_does_not_open_stops_nothing(app, grant):
    app.sealed_next_client_secret = b"not sealed"
    app.save()

    assert refreshed(grant) == [Outcome.REFRESHED]


def test_the_change_is_made_behind_the_wall_of_a_request(cloud_app, bob):
    enter_next_secret(cloud_app)

    with acting_for(user_id=bob.pk):
        assert client_secret.promote_next(OAuthApp.objects.get(pk=cloud_app.pk))

    assert secrets_of(cloud_app) == (NEW, "")


@pytest.mark.parametrize("seal", ["seal_client_secret", "seal_next_client_secret"])
def test_a_secret_that_was_entered_meanwhile_is_not_replaced(cloud_app, seal):
    enter_next_secret(cloud_app)
    as_read = OAuthApp.objects.get()
    getattr(vault, seal)(cloud_app, "entered-meanwhile")
    cloud_app.save()
    before = secrets_of(cloud_app)

    assert not client_secret.promote_next(as_read)
    assert secrets_of(cloud_app) == before
    assert not Event.objects.exists()


def test_a_database_that_is_away_for_the_change_costs_no_tokens(
    cloud_app, cloud_grant, sandbox, monkeypatch
):
    """The next exchange finds out again."""
    enter_next_secret(cloud_app)
    sandbox.cloud.rotate_client_secret(NEW)
    monkeypatch.setattr(connection, "close", lambda: None)

    with connection.execute_wrapper(_refuse_the_change):
        assert refreshed(cloud_grant) == [Outcome.REFRESHED]
    assert secrets_of(cloud_app)[1] == NEW

    assert refreshed(cloud_grant) == [Outcome.REFRESHED]
    assert secrets_of(cloud_app) == (NEW, "")


def _refuse_the_change(execute, sql, params, many, context):
    if sql.startswith("UPDATE") and "sealed_next_client_secret" in sql:
        raise OperationalError("away")
    return execute(sql, params, many, context)
