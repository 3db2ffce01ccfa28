"""What a sweep hands out while more is due than may be refreshed.

No clock is looked at, and nothing is exchanged: rows that were handed out are moved as
their refresh would move them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from accounts.models import Membership, Organization
from confluence_link.models import Grant, LinkedSite, OAuthAppHealth, database_now
from confluence_link.refresh import breaker, claim, due, pace
from tests import factories, many

PER_SECOND, SWEEP_SECONDS = 20, 5
# As many as one sweep hands out.
ROOM = PER_SECOND * SWEEP_SECONDS * due.SWEEPS_AHEAD


@pytest.fixture(autouse=True)
def _small_machine(settings):
    settings.CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND = PER_SECOND
    settings.CONFLUENCE_LINK_SWEEP_SECONDS = SWEEP_SECONDS


def sweep(now=None):
    """The ids that one hands out, in their order."""
    batches = due.batches(now or database_now())
    return [pk for batch in batches for pk in batch.ids]


def refreshed(ids, now):
    Grant.objects.filter(pk__among=frozenset(ids)).update(
        refresh_at=now + timedelta(minutes=50), queued_until=None
    )


def overdue(organization, user, count, *, used_ago=timedelta(0), **fields):
    """Due since the same second; each was used a second before the one before it."""
    now = database_now()
    sites = many.links(
        organization,
        user,
        count,
        refresh_at=now - timedelta(seconds=1),
        last_used_at=now - used_ago,
        **fields,
    )
    ids = [site.grant_id for site in sites]
    Grant.objects.filter(pk__in=ids).update(
        last_used_at=F("last_used_at") - (F("pk") - ids[0]) * timedelta(seconds=1)
    )
    return ids


# Fair turns
# ------------------------------------------------------------------------------
def small_organizations(user, count, *, with_grants, **fields):
    """The ids of their grants, which nobody used for a day."""
    ids = overdue(
        factories.make_organization(),
        user,
        count * with_grants,
        used_ago=timedelta(days=1),
        **fields,
    )
    first = Organization.objects.order_by("pk").last().pk + 1
    small = Organization.objects.bulk_create(
        Organization(pk=first + number, name=f"Small {number}", slug=f"small-{number}")
        for number in range(count)
    )
    Membership.objects.bulk_create(
        Membership(organization=organization, user=user) for organization in small
    )
    LinkedSite.objects.filter(grant__in=ids).update(
        organization=first + F("grant_id") % count
    )
    return set(ids)


def test_f41_a_big_organization_does_not_starve_a_hundred_small_ones(
    cloud_app, organization, alice, bob
):
    big = set(overdue(organization, alice, 3_000, app=cloud_app))
    small = small_organizations(bob, 100, with_grants=3, app=cloud_app)
    now, handed_out = database_now(), set()
    for number in range(2):
        at = now + timedelta(seconds=number * SWEEP_SECONDS)
        found = sweep(at)
        assert len(found) == ROOM
        handed_out |= set(found)
        refreshed(found, at)
    assert small <= handed_out
    # And the big one waits for nobody: what is left is its.
    assert len(big & handed_out) == 2 * ROOM - len(small)


def test_f41_whoever_has_room_left_is_not_kept_from_it(cloud_app, organization, alice):
    """One organization alone takes all there is."""
    overdue(organization, alice, ROOM + 100, app=cloud_app)
    assert len(sweep()) == ROOM


# All at once
# ------------------------------------------------------------------------------
def test_f40_what_expires_in_one_second_is_handed_out_hot_first(
    cloud_app, organization, alice
):
    ids = overdue(organization, alice, 3 * ROOM, app=cloud_app)
    now = database_now()
    for number in range(3):
        at = now + timedelta(seconds=number * SWEEP_SECONDS)
        found = sweep(at)
        assert found == ids[number * ROOM : (number + 1) * ROOM]
        refreshed(found, at)


def test_f40_no_batch_begins_before_the_cap_allows_it(cloud_app, organization, alice):
    """Whoever would have to wait for long leaves it, however many sweeps there were."""
    overdue(organization, alice, 5 * ROOM, app=cloud_app)
    now = database_now()
    begins = []
    for _ in range(4):
        # As if every message was taken at once.
        Grant.objects.update(queued_until=None)
        for batch in due.batches(now):
            turn = pace.reserve(
                oauth_app_id=cloud_app.pk, number=len(batch.ids), now=now
            )
            if turn:
                begins.append((turn.wait_seconds, len(batch.ids)))
    for wait_seconds, _ in begins:
        before = sum(number for wait, number in begins if wait < wait_seconds)
        assert before <= wait_seconds * PER_SECOND + 1
    longest = pace.WAIT_SECONDS * PER_SECOND
    assert longest <= sum(number for _, number in begins) <= longest + ROOM


# After an outage
# ------------------------------------------------------------------------------
@pytest.fixture
def after_an_outage(cloud_app, organization, alice):
    """Thousands wait for their backoff; the last probe has just succeeded."""
    now = database_now()
    ids = overdue(
        organization,
        alice,
        8 * ROOM,
        app=cloud_app,
        last_error="timeout",
        last_error_at=now - timedelta(minutes=2),
        consecutive_failures=3,
    )
    Grant.objects.filter(pk__in=ids).update(
        refresh_at=now + (F("pk") % 900) * timedelta(seconds=1)
    )
    OAuthAppHealth.objects.create(
        oauth_app=cloud_app, openings=4, consecutive_failures=8
    )
    breaker.app_succeeded(cloud_app, now=now)
    return ids, now


def test_f30_recovery_begins_slowly_and_never_exceeds_the_cap(after_an_outage):
    _, now = after_an_outage
    sizes = []
    for seconds in range(0, pace.RAMP_SECONDS + 2 * SWEEP_SECONDS, SWEEP_SECONDS):
        at = now + timedelta(seconds=seconds)
        found = sweep(at)
        sizes.append(len(found))
        refreshed(found, at)
    assert sizes[0] <= SWEEP_SECONDS * due.SWEEPS_AHEAD
    assert sizes == sorted(sizes)
    assert sizes[-1] == max(sizes) == ROOM


def test_f30_what_was_used_last_comes_back_first(after_an_outage):
    ids, now = after_an_outage
    handed_out = []
    for seconds in range(0, pace.RAMP_SECONDS, SWEEP_SECONDS):
        at = now + timedelta(seconds=seconds)
        found = sweep(at)
        handed_out += found
        refreshed(found, at)
    assert handed_out == ids[: len(handed_out)]


def test_f30_what_is_in_doubt_goes_before_what_was_used_last(after_an_outage):
    ids, now = after_an_outage
    doubtful = ids[-3:]
    Grant.objects.filter(pk__in=doubtful).update(
        uncertain_since=now - timedelta(minutes=3)
    )
    found = sweep(now)
    assert set(found[:3]) == set(doubtful)
    assert found[3:] == ids[: len(found) - 3]


# While it lasts
# ------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_f30_a_recovering_app_gets_one_probe_however_many_beats_there_are(
    cloud_app, organization, alice
):
    overdue(organization, alice, 500, app=cloud_app)
    OAuthAppHealth.objects.create(oauth_app=cloud_app, openings=2)
    now = database_now()

    def beat(_):
        try:
            return sweep(now)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(map(len, pool.map(beat, range(12)))) == 1
    assert sweep(now + timedelta(seconds=due.QUEUED_SECONDS / 2)) == []
    assert len(sweep(now + timedelta(seconds=due.QUEUED_SECONDS + 1))) == 1


def test_f30_nothing_is_leased_while_the_app_pauses(cloud_app, organization, alice):
    """Not even from messages that were sent before."""
    overdue(organization, alice, 3 * ROOM, app=cloud_app)
    sent = sweep()
    OAuthAppHealth.objects.create(
        oauth_app=cloud_app,
        openings=1,
        paused_until=database_now() + timedelta(seconds=30),
    )
    assert sweep() == []
    assert claim.count_due(sent) == {}
