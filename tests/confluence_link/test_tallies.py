"""Refreshed grants are counted for who may know of them, and in nobody's way."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import OperationalError, connection, connections, transaction

from accounts.isolation import acting_for
from accounts.models import Membership, Organization
from confluence_link import charts, tallies
from confluence_link.linking import deleting
from confluence_link.models import (
    LinkedSite,
    OAuthAppTally,
    OrganizationTally,
    database_now,
)
from tests import factories, many


def grant_ids(sites):
    return [site.grant_id for site in sites]


def counts(organization):
    """Of all hours: there may be two, if the clock struck meanwhile."""
    rows = OrganizationTally.objects.for_organization(organization)
    return (
        sum(row.refreshed for row in rows),
        sum(row.refreshed_shared for row in rows),
    )


def count_of(app):
    rows = OAuthAppTally.objects.filter(oauth_app=app)
    return sum(row.refreshed for row in rows)


@pytest.fixture
def site(organization, alice):
    (site,) = many.links(organization, alice)
    return site


def test_grants_are_counted_for_their_organizations(
    alice, bob, organization, other_organization
):
    mine = many.links(organization, alice, 3)
    theirs = many.links(other_organization, bob, 2)
    many.links(organization, alice)

    tallies.count_refreshed(grant_ids([*mine, *theirs]))

    assert counts(organization) == (3, 3)
    assert counts(other_organization) == (2, 2)


def test_grants_are_counted_for_their_apps(alice, organization):
    apps = [factories.make_oauth_app() for _ in range(2)]
    sites = [
        *many.links(organization, alice, 2, app=apps[0]),
        *many.links(organization, alice, 1, app=apps[1]),
    ]

    tallies.count_refreshed(grant_ids(sites))

    assert [count_of(app) for app in apps] == [2, 1]


def test_each_batch_is_added_to_the_row_of_its_hour(site):
    hour = charts.hours_of_last_day(database_now())[-1]

    for _ in range(3):
        tallies.count_refreshed([site.grant_id])

    assert counts(site.organization) == (3, 3)
    assert count_of(site.grant.oauth_app) == 3
    found = {*OrganizationTally.objects.values_list("hour", flat=True)}
    assert found <= {hour, hour + timedelta(hours=1)}


def test_a_grant_with_several_sites_is_one(site):
    for name, shared in (("a", True), ("b", False)):
        LinkedSite.objects.create(
            organization=site.organization,
            grant=site.grant,
            site_id=name,
            shared=shared,
        )

    tallies.count_refreshed([site.grant_id])

    assert counts(site.organization) == (1, 1)


def test_a_grant_of_two_organizations_is_counted_for_both(
    site, alice, other_organization
):
    factories.join(alice, other_organization)
    LinkedSite.objects.create(
        organization=other_organization, grant=site.grant, site_id="a"
    )

    tallies.count_refreshed([site.grant_id])

    assert counts(site.organization) == counts(other_organization) == (1, 1)
    assert count_of(site.grant.oauth_app) == 1


def test_t03_what_is_kept_is_not_among_what_is_shared(alice, organization):
    kept = many.links(organization, alice, 2, site={"shared": False})
    shared = many.links(organization, alice, 1)

    tallies.count_refreshed(grant_ids([*kept, *shared]))

    assert counts(organization) == (3, 1)


def test_a_grant_that_nobody_uses_is_counted_for_its_app(site):
    LinkedSite.objects.all().delete()

    tallies.count_refreshed([site.grant_id])

    assert counts(site.organization) == (0, 0)
    assert count_of(site.grant.oauth_app) == 1


def test_nothing_refreshed_asks_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        tallies.count_refreshed([])


def test_a_request_that_refreshes_counts_too(site, other_organization):
    """Behind the wall of another organization, whatever it sees itself."""
    with acting_for(organization_id=other_organization.pk):
        tallies.count_refreshed([site.grant_id])

    assert counts(site.organization) == (1, 1)


# What may not be in anybody's way
# ------------------------------------------------------------------------------
def test_what_cannot_be_counted_is_told_and_fails_nothing(site, caplog):
    def refuse(execute, sql, *args):
        if "oauthapptally" in sql:
            raise OperationalError("no room left")
        return execute(sql, *args)

    with connection.execute_wrapper(refuse):
        tallies.count_refreshed([site.grant_id])

    assert counts(site.organization) == (0, 0)
    assert "not counted, refreshed=1 error=OperationalError" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_two_batches_at_the_same_moment_lose_nothing(alice, organization):
    sites = many.links(organization, alice, 20)
    barrier = Barrier(2)

    def count(ids):
        barrier.wait()
        for _ in range(5):
            tallies.count_refreshed(ids)
        connections.close_all()

    ids = grant_ids(sites)
    threads = [Thread(target=count, args=[each]) for each in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counts(organization) == (200, 200)


@pytest.mark.skipif(
    connection.vendor != "postgresql",
    reason="SQLite has one writer at a time; `make test` brings a PostgreSQL",
)
@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_holds_is_not_waited_for(site, caplog):
    tallies.count_refreshed([site.grant_id])

    def count():
        tallies.count_refreshed([site.grant_id])
        connections.close_all()

    thread = Thread(target=count)
    with transaction.atomic():
        OrganizationTally.objects.update(refreshed=7)
        thread.start()
        thread.join()

    assert counts(site.organization) == (7, 1)
    assert "not counted" in caplog.text


def test_an_organization_is_deleted_with_its_counts(site, alice, other_organization):
    many.links(other_organization, alice)
    many.refreshed(LinkedSite.objects.all())
    organization = Organization.objects.get(pk=site.organization_id)

    deleting.delete_organization(organization=organization, actor=alice)

    (left,) = OrganizationTally.objects.all()
    assert left.organization == other_organization


def test_a_count_that_arrives_late_does_not_undo_a_deletion(site):
    with transaction.atomic():
        hour = database_now()
        OrganizationTally.objects.create(
            hour=hour, organization_id=0, refreshed=1, refreshed_shared=1
        )
        OAuthAppTally.objects.create(hour=hour, oauth_app_id=0, refreshed=1)
        connection.check_constraints()


# Reading
# ------------------------------------------------------------------------------
def test_who_may_know_of_all_sites_is_told_all(site, carol):
    hour = database_now()
    OrganizationTally.objects.create(
        hour=hour, organization=site.organization, refreshed=5, refreshed_shared=3
    )
    told = {
        membership.role: OrganizationTally.objects.refreshed_by_hour(membership, [hour])
        for membership in Membership.objects.for_organization(site.organization)
    }

    assert told == {"owner": {hour: 5}, "member": {hour: 3}}


def test_apps_are_counted_together(db):
    hours = charts.hours_of_last_day(database_now())
    for hour in (hours[3], hours[3], hours[5], hours[0] - timedelta(hours=1)):
        app = factories.make_oauth_app()
        OAuthAppTally.objects.create(hour=hour, oauth_app=app, refreshed=2)

    found = OAuthAppTally.objects.refreshed_by_hour(hours)

    assert found == {hours[3]: 4, hours[5]: 2}


def test_after_a_week_and_a_day_they_are_forgotten(site):
    for days in (7, 9):
        hour = database_now() - timedelta(days=days)
        OrganizationTally.objects.create(
            hour=hour,
            organization=site.organization,
            refreshed=days,
            refreshed_shared=0,
        )
        OAuthAppTally.objects.create(
            hour=hour, oauth_app=site.grant.oauth_app, refreshed=days
        )

    tallies.purge()

    assert counts(site.organization) == (7, 0)
    assert count_of(site.grant.oauth_app) == 7


def test_a_row_names_its_hour_and_its_count(site):
    many.refreshed([site])

    row, of_app = OrganizationTally.objects.get(), OAuthAppTally.objects.get()

    assert str(row) == str(of_app) == f"1 refreshed at {row.hour:%Y-%m-%d %H}:00"
