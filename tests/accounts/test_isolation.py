"""The second wall, on a real PostgreSQL: `make test` brings one."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import (
    DatabaseError,
    IntegrityError,
    OperationalError,
    connection,
    connections,
    transaction,
)

from accounts.checks import second_wall
from accounts.isolation import (
    ROLE,
    WallMiddleware,
    across_organizations,
    acting_for,
    is_up,
)
from accounts.models import Invitation, Membership, Organization, ServiceKey
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    OAuthApp,
    OAuthAppTally,
    OrganizationTally,
    SealedTokenSet,
    database_now,
)
from tests import factories, grants

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql",
        reason="SQLite has no row-level security; `make test` brings a PostgreSQL",
    ),
]

TENANTS_OWN = [
    model
    for model in apps.get_models()
    if model in {Organization, Grant, OAuthAppTally, SealedTokenSet}
    or any(field.related_model is Organization for field in model._meta.fields)
]


@contextmanager
def rolled_back():
    """A savepoint to which the transaction goes back."""
    savepoint = transaction.savepoint()
    yield
    transaction.savepoint_rollback(savepoint)


def current_user():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return cursor.fetchone()[0]


def end_its_server_process():
    """As a restart of PostgreSQL would."""
    other = connection.copy()
    with across_organizations(), other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid]
        )
    other.close()


@pytest.mark.parametrize("model", TENANTS_OWN, ids=lambda model: model._meta.label)
def test_every_table_of_tenants_has_a_policy(model):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity,"
            " EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)"
            " FROM pg_class WHERE oid = %s::regclass",
            [model._meta.db_table],
        )
        assert cursor.fetchone() == (True, True)


def test_the_tables_of_tenants_are_found():
    assert {Invitation, ServiceKey, LinkedSite, Event, OAuthApp} <= set(TENANTS_OWN)


# What is visible
# ------------------------------------------------------------------------------
def test_a_query_without_a_filter_finds_one_organization(
    organization, other_organization
):
    with acting_for(organization_id=organization.pk):
        assert [*Organization.objects.all()] == [organization]
        assert {row.organization for row in Membership.objects.all()} == {organization}


def test_nobody_finds_nothing(organization):
    with acting_for():
        assert not Organization.objects.exists()
        assert not Membership.objects.exists()


def test_a_person_finds_their_own_memberships(organization, other_organization, carol):
    factories.join(carol, other_organization)

    with acting_for(user_id=carol.pk):
        assert {row.user for row in Membership.objects.all()} == {carol}
        assert {*Organization.objects.all()} == {organization, other_organization}


def test_across_organizations_everything_is_there(organization, other_organization):
    with acting_for(organization_id=organization.pk), across_organizations():
        assert Organization.objects.count() == 2


def test_no_row_of_another_organization_can_be_written(
    organization, other_organization, carol
):
    with (
        acting_for(organization_id=organization.pk),
        pytest.raises(DatabaseError, match="row-level security"),
    ):
        Membership.objects.create(organization=other_organization, user=carol)


def test_no_row_of_another_organization_can_be_changed(
    organization, other_organization
):
    with acting_for(organization_id=organization.pk):
        assert Membership.objects.update(role="member") == 2

    theirs = Membership.objects.get(organization=other_organization)
    assert theirs.role == "owner"


def test_no_page_can_read_a_sealed_token(
    sandbox, cloud_app, alice, organization, django_assert_num_queries
):
    grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)

    with acting_for(organization_id=organization.pk, user_id=alice.pk):
        assert Grant.objects.count() == 1
        assert not SealedTokenSet.objects.exists()


def test_the_events_of_a_grant_are_told_to_who_uses_it(
    sandbox, cloud_app, alice, organization, other_organization
):
    grant = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    Event.objects.create(at=grant.consented_at, kind="grant.recovered", grant=grant)

    with acting_for(organization_id=organization.pk):
        assert Event.objects.filter(kind="grant.recovered").exists()
    with acting_for(organization_id=other_organization.pk):
        assert not Event.objects.filter(kind="grant.recovered").exists()


def test_an_organization_sees_its_own_tallies_and_no_page_those_of_apps(
    organization, other_organization, cloud_app
):
    now = database_now()
    for one in (organization, other_organization):
        OrganizationTally.objects.create(
            hour=now, organization=one, refreshed=1, refreshed_shared=1
        )
    OAuthAppTally.objects.create(hour=now, oauth_app=cloud_app, refreshed=2)

    with acting_for(organization_id=organization.pk):
        (tally,) = OrganizationTally.objects.all()
        assert tally.organization == organization
        assert not OAuthAppTally.objects.exists()


# How it is put up
# ------------------------------------------------------------------------------
def test_nothing_stays_on_the_connection(organization):
    owner = current_user()

    with acting_for(organization_id=organization.pk):
        assert current_user() == ROLE

    assert current_user() == owner


def test_it_stands_inside_a_transaction(organization, other_organization):
    with acting_for(organization_id=organization.pk), transaction.atomic():
        assert Organization.objects.count() == 1


def test_it_goes_up_and_down_in_the_middle_of_a_transaction(
    organization, other_organization
):
    with transaction.atomic():
        assert Organization.objects.count() == 2
        with acting_for(organization_id=organization.pk):
            assert Organization.objects.count() == 1
        assert Organization.objects.count() == 2


def test_a_savepoint_that_is_rolled_back_takes_nothing_down(
    organization, other_organization
):
    with acting_for(organization_id=organization.pk), transaction.atomic():
        with rolled_back(), across_organizations():
            assert Organization.objects.count() == 2
        assert Organization.objects.count() == 1


def test_a_savepoint_that_is_rolled_back_leaves_nothing_up(
    organization, other_organization
):
    with transaction.atomic():
        with rolled_back(), acting_for(organization_id=organization.pk):
            assert Organization.objects.count() == 1
        assert Organization.objects.count() == 2


def test_a_statement_that_fails_leaves_the_connection_usable(organization, alice):
    with acting_for(organization_id=organization.pk):
        with pytest.raises(IntegrityError):
            Membership.objects.create(organization=organization, user=alice)
        assert Membership.objects.count() == 2


def test_a_transaction_that_fails_leaves_the_connection_usable(organization, alice):
    with acting_for(organization_id=organization.pk):
        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.create(organization=organization, user=alice)
        assert Membership.objects.count() == 2


def test_a_new_connection_is_told_again(organization, other_organization):
    with acting_for(organization_id=organization.pk):
        assert Organization.objects.count() == 1
        connection.close()
        assert Organization.objects.count() == 1
        with transaction.atomic():
            assert Organization.objects.count() == 1


def test_a_connection_that_is_lost_fails_as_it_does_without_a_wall(organization):
    with acting_for(organization_id=organization.pk):
        assert Organization.objects.count() == 1
        end_its_server_process()
        with pytest.raises(OperationalError):
            Organization.objects.count()
        connection.close_if_unusable_or_obsolete()
        assert Organization.objects.count() == 1


def test_what_the_end_of_a_statement_refuses_is_an_error_of_djangos(organization):
    with (
        acting_for(organization_id=organization.pk),
        pytest.raises(IntegrityError, match="foreign key"),
    ):
        Membership(organization=organization, user_id=0).save()


def test_a_long_result_is_read_in_pieces(organization, other_organization):
    with acting_for(organization_id=organization.pk):
        assert [*Organization.objects.iterator(chunk_size=1)] == [organization]


# Where it cannot be put up
# ------------------------------------------------------------------------------
@pytest.fixture
def as_a_stranger():
    """The same database, as a login that was not given the role."""
    login = connection.copy()
    login.settings_dict = {
        **connection.settings_dict,
        "USER": "confluence_link_stranger",
        "PASSWORD": "for this test",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE ROLE confluence_link_stranger LOGIN PASSWORD %s", ["for this test"]
        )
    yield login
    login.close()
    if "stranger" in connections:
        del connections["stranger"]
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE confluence_link_stranger")


def test_a_login_without_the_role_has_no_wall(as_a_stranger):
    assert is_up(connection)
    assert not is_up(as_a_stranger)


def test_operators_are_told_of_a_missing_wall(as_a_stranger):
    connections["stranger"] = as_a_stranger

    assert second_wall(databases=["default"]) == []
    (warning,) = second_wall(databases=["stranger"])
    assert warning.id == "accounts.W001"


def test_the_first_migration_is_not_told_of_a_wall_to_come(as_a_stranger):
    connections["stranger"] = as_a_stranger
    with as_a_stranger.cursor() as cursor:
        # Where no table is yet.
        cursor.execute("SET search_path TO pg_temp")

    assert second_wall(databases=["stranger"]) == []


# T13: what the database itself refuses
# ------------------------------------------------------------------------------
def test_t13_a_linked_site_cannot_point_to_a_strangers_grant(
    sandbox, cloud_app, alice, organization, other_organization
):
    grant = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)

    with (
        connection.cursor() as cursor,
        pytest.raises(IntegrityError, match="points out of its organization"),
    ):
        cursor.execute(
            "UPDATE confluence_link_linkedsite SET organization_id = %s"
            " WHERE grant_id = %s",
            [other_organization.pk, grant.pk],
        )


def test_t13_a_linked_site_cannot_use_another_organizations_app(
    sandbox, cloud_app, alice, organization, other_organization
):
    grant = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    OAuthApp.objects.update(organization=other_organization)

    with pytest.raises(IntegrityError, match="points out of its organization"):
        LinkedSite.objects.update(organization=organization, grant=grant)


def test_t13_a_membership_cannot_end_before_its_links(
    sandbox, cloud_app, alice, organization
):
    grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)

    with (
        connection.cursor() as cursor,
        pytest.raises(IntegrityError, match="outlive its linker's membership"),
    ):
        cursor.execute("DELETE FROM accounts_membership WHERE user_id = %s", [alice.pk])


# Below a prefix
# ------------------------------------------------------------------------------
@pytest.mark.parametrize(("path", "sees"), [("/admin/", 2), ("/organizations/", 0)])
def test_a_prefix_of_the_proxy_changes_nothing(
    rf, organization, other_organization, path, sees
):
    request = rf.get(f"/prefix{path}", SCRIPT_NAME="/prefix", PATH_INFO=path)
    request.user = AnonymousUser()
    seen = []

    WallMiddleware(lambda _: seen.append(Organization.objects.count()))(request)

    assert seen == [sees]
