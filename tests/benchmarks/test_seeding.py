from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import Organization
from benchmarks import due, seeding, tokens
from benchmarks.endpoint_process import endpoint_process
from confluence_link import refresh, vault
from confluence_link.models import Grant, LinkedSite, SealedTokenSet, database_now
from tests import factories

pytestmark = [
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="PostgreSQL is what is measured."
    ),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def endpoint(tmp_path):
    """One that has seen no grant yet: they have the same names in each test."""
    with endpoint_process(tmp_path) as running:
        yield running


@pytest.fixture
def app(settings, endpoint):
    settings.CONFLUENCE_CLOUD_TOKEN_URL = endpoint.token_url
    return factories.make_oauth_app(
        ca_bundle=endpoint.ca_bundle, scopes=settings.CONFLUENCE_CLOUD_SCOPES
    )


def refresh_what_is_due():
    ids = []
    refresh.sweep(enqueue=ids.extend)
    return refresh.refresh_batch(ids)


def test_grants_are_whole_and_none_is_due(app):
    seeding.populate(app, 120)

    assert Organization.objects.count() == 2
    assert (
        LinkedSite.objects.filter(grant__sealed_token_set__isnull=False).count() == 120
    )
    assert not due.is_anything_due()


def test_the_engine_refreshes_them_with_tokens_that_the_endpoint_takes(app, endpoint):
    population = seeding.populate(app, 40)
    due.make_due(population, 10)

    assert refresh_what_is_due() == [refresh.Outcome.REFRESHED] * 10

    answered = endpoint.answered()
    assert (answered.exchanges, answered.reused, answered.unknown) == (10, 0, 0)
    assert due.outcome().refreshed == 10
    assert due.outcome().expired == 0
    assert not due.is_anything_due()


def test_what_is_stored_is_what_the_endpoint_gave(app):
    population = seeding.populate(app, 4)
    due.make_due(population, 2)
    refresh_what_is_due()

    for grant in Grant.objects.filter(generation=2):
        sealed = SealedTokenSet.objects.get(grant=grant)
        told = tokens.read(vault.open_refresh(grant, sealed.refresh))
        assert told == (seeding.subject(grant.pk), 2)


def test_copies_of_grants_are_due_where_the_first_ones_are(app):
    seeding.make_grants(app, 200, due_every=50)
    seeding.multiply(200, times=3)

    ids = Grant.objects.due(database_now()).values_list("pk", flat=True)
    assert sorted(ids) == list(range(50, 601, 50))
    assert Organization.objects.count() == 6
    assert LinkedSite.objects.get(grant=601 - 50).organization_id == 2 + 2 * 200


def test_the_first_organization_may_have_all_copies(app):
    seeding.make_grants(app, 20, organization_of=lambda number: 1 + number // 20)
    seeding.multiply(20, times=3, first_grows=True)

    assert LinkedSite.objects.filter(organization=1).count() == 3 * 19


def test_what_is_due_falls_due_at_the_rate_that_is_asked_for(app):
    population = seeding.populate(app, 40)
    first_at = database_now()
    due.make_due(population, 20, first_at=first_at, per_second=10)

    times = Grant.objects.order_by("refresh_at").values_list("refresh_at", flat=True)
    seconds = [(at - first_at).total_seconds() for at in times[:20]]
    assert seconds == [pytest.approx(n / 10, abs=0.001) for n in range(20)]


def test_what_was_refreshed_late_or_never_counts_as_expired(app):
    population = seeding.populate(app, 40)
    due.make_due(population, 10)
    late, never = Grant.objects.filter(refresh_at__lte=database_now())[:2]
    later = late.expires_at + timedelta(seconds=1)
    Grant.objects.exclude(pk=never.pk).update(refresh_at=later + timedelta(hours=1))
    Grant.objects.filter(pk=late.pk).update(last_rotated_at=later)

    found = due.outcome()

    assert (found.refreshed, found.expired) == (9, 2)
    assert found.latest_seconds > 300
