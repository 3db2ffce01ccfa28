"""How many exchanges a second an app may have, over all processes."""

from __future__ import annotations

from datetime import timedelta

from confluence_link import refresh
from confluence_link.models import OAuthAppHealth, database_now
from confluence_link.refresh import Outcome, pace
from tests import grants


def _reserve(grant, number=500):
    return pace.reserve(
        oauth_app_id=grant.oauth_app_id, number=number, now=database_now()
    )


def test_a_batch_waits_for_the_one_before(cloud_grant, settings):
    settings.CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND = 50
    waits = [_reserve(cloud_grant).wait_seconds for _ in range(2)]
    assert waits[0] == 0
    assert 5 < waits[1] <= 10


def test_whoever_would_wait_for_long_leaves_it_to_a_later_sweep(cloud_grant, settings):
    settings.CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND = 20
    assert _reserve(cloud_grant) is not None
    assert _reserve(cloud_grant) is None


def test_a_large_batch_of_before_an_outage_reserves_no_more_than_it_can_begin(
    cloud_grant,
):
    now = database_now()
    OAuthAppHealth.objects.create(oauth_app=cloud_grant.oauth_app, recovered_at=now)
    assert _reserve(cloud_grant).per_second == 1
    reserved = OAuthAppHealth.objects.get().paced_until - now
    assert reserved < timedelta(seconds=32)


def test_f12_a_clock_that_was_set_back_holds_nobody_up(cloud_grant):
    later = database_now() + timedelta(minutes=10)
    OAuthAppHealth.objects.create(oauth_app=cloud_grant.oauth_app, paced_until=later)
    assert _reserve(cloud_grant).wait_seconds == 0
    assert OAuthAppHealth.objects.get().paced_until < later


def test_f30_a_message_of_before_the_outage_is_no_probe(sandbox, cloud_grant):
    others = [grants.copy_of(cloud_grant) for _ in range(3)]
    OAuthAppHealth.objects.create(
        oauth_app=cloud_grant.oauth_app,
        openings=1,
        paused_until=database_now() - timedelta(seconds=1),
    )
    due = [grants.make_due(grant).pk for grant in (cloud_grant, *others)]
    assert refresh.refresh_batch(due) == []
    assert refresh.refresh_batch(due[:1]) == [Outcome.REFRESHED]
    assert refresh.refresh_batch(due) == [Outcome.REFRESHED] * 3
