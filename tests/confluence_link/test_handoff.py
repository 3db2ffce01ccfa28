"""Hand-off: a live token at any moment, or an error that says what to do."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from confluence_link import handoff, linking
from confluence_link.errors import (
    ReauthorizationRequired,
    TokenUnavailable,
    VaultError,
)
from confluence_link.models import Grant, database_now
from tests import grants

REFRESHED = "exchange.refresh_token.ok"


def _expire(grant):
    Grant.objects.filter(pk=grant.pk).update(expires_at=database_now())
    return grants.make_due(grant)


def test_a_fresh_token_is_given_without_asking_anyone(sandbox, cloud_grant):
    token = handoff.fresh_token(grant=cloud_grant)
    assert token.value == grants.tokens(cloud_grant)[0]
    assert sandbox.cloud.statistics[REFRESHED] == 0


def test_an_expired_token_is_refreshed_on_the_way(sandbox, cloud_grant):
    _expire(cloud_grant)
    token = handoff.fresh_token(grant=cloud_grant)
    assert token.generation == 2
    assert token.expires_at > database_now() + timedelta(minutes=50)
    assert sandbox.cloud.statistics[REFRESHED] == 1


def test_a_caller_may_ask_for_a_longer_life(sandbox, cloud_grant):
    grants.seconds_pass(sandbox, 1000)
    assert handoff.fresh_token(grant=cloud_grant).generation == 1
    assert handoff.fresh_token(grant=cloud_grant, min_seconds=3000).generation == 2


def test_a_token_of_a_minute_s_life_is_not_refreshed_at_every_call(
    sandbox, cloud_grant
):
    now = database_now()
    Grant.objects.update(last_rotated_at=now, expires_at=now + timedelta(seconds=59))
    assert handoff.fresh_token(grant=cloud_grant).generation == 1
    assert sandbox.cloud.statistics[REFRESHED] == 0


def test_a_token_with_little_life_left_is_better_than_none(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "server_error")
    Grant.objects.update(expires_at=database_now() + timedelta(seconds=30))
    grants.make_due(cloud_grant)
    assert handoff.fresh_token(grant=cloud_grant).generation == 1


def test_without_any_token_the_caller_hears_when_to_come_back(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "server_error")
    _expire(cloud_grant)
    with pytest.raises(TokenUnavailable) as raised:
        handoff.fresh_token(grant=cloud_grant)
    assert 5 <= raised.value.retry_after_seconds <= 300


def test_r05_many_callers_of_a_failing_grant_send_one_request(sandbox, cloud_grant):
    sandbox.cloud.faults.add("token", "server_error")
    _expire(cloud_grant)
    before = sandbox.cloud.statistics["request.token"]
    for _ in range(20):
        with pytest.raises(TokenUnavailable):
            handoff.fresh_token(grant=cloud_grant)
    assert sandbox.cloud.statistics["request.token"] == before + 1


@pytest.mark.parametrize(
    "reason", [Grant.DeathReason.REVOKED, Grant.DeathReason.ROTATION_LOST]
)
def test_a_dead_grant_asks_for_a_new_consent_and_says_why(cloud_grant, reason):
    Grant.objects.update(status=Grant.Status.RECONNECT_NEEDED, death_reason=reason)
    with pytest.raises(ReauthorizationRequired) as raised:
        handoff.fresh_token(grant=cloud_grant)
    assert raised.value.reason == reason


def test_an_unlinked_grant_has_no_token(cloud_grant):
    linking.unlink(linked_site=cloud_grant.linked_sites.get(), actor=None)
    with pytest.raises(ReauthorizationRequired):
        handoff.fresh_token(grant=cloud_grant)


def test_a_missing_key_is_an_error_of_the_vault(cloud_grant, settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = settings.CONFLUENCE_LINK_VAULT_KEYS[1:]
    with pytest.raises(VaultError):
        handoff.fresh_token(grant=cloud_grant)


def test_the_use_is_written_down_now_and_then(sandbox, cloud_grant):
    handoff.fresh_token(grant=cloud_grant)
    first = grants.again(cloud_grant).last_used_at
    handoff.fresh_token(grant=cloud_grant)
    assert grants.again(cloud_grant).last_used_at == first
    grants.seconds_pass(sandbox, 61)
    handoff.fresh_token(grant=cloud_grant)
    assert grants.again(cloud_grant).last_used_at > first


def test_a_linked_site_is_handed_off_with_its_base_and_scopes(sandbox, cloud_grant):
    linked_site = cloud_grant.linked_sites.get()
    handed = handoff.for_linked_site(linked_site=linked_site)
    assert handed.api_base_url.endswith(f"/ex/confluence/{linked_site.site_id}")
    assert "read:page:confluence" in handed.scopes
    assert handed.access_token.value not in repr(handed)


def test_after_a_refusal_a_token_that_is_newer_already_is_given(sandbox, cloud_grant):
    _expire(cloud_grant)
    handoff.fresh_token(grant=cloud_grant)
    token = handoff.token_after_refusal(grant=cloud_grant, refused_generation=1)
    assert token.generation == 2
    assert sandbox.cloud.statistics[REFRESHED] == 1


def test_after_a_refusal_one_refresh_is_tried(sandbox, cloud_grant):
    grants.seconds_pass(sandbox, 120)
    token = handoff.token_after_refusal(grant=cloud_grant, refused_generation=1)
    assert token.generation == 2


def test_a_refused_token_that_is_brand_new_is_not_refreshed(sandbox, cloud_grant):
    assert handoff.token_after_refusal(grant=cloud_grant, refused_generation=1) is None
    assert sandbox.cloud.statistics[REFRESHED] == 0


@pytest.mark.django_db(transaction=True)
def test_a07_many_callers_at_once_share_one_refresh(
    sandbox, cloud_app, alice, organization
):
    grant = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    sandbox.cloud.faults.add("token", "slow_after", seconds=0.5, times=1)
    _expire(grant)
    start = threading.Barrier(8)

    def hand_off():
        start.wait()
        try:
            return handoff.fresh_token(grant=grant).generation
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(hand_off) for _ in range(8)]
        assert [future.result() for future in futures] == [2] * 8
    assert sandbox.cloud.statistics[REFRESHED] == 1


@pytest.mark.django_db(transaction=True)
def test_r05_hundreds_of_callers_of_a_failing_grant_send_one_request_per_step(
    sandbox, cloud_app, alice, organization
):
    grant = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    before = sandbox.cloud.statistics["request.token"]
    _expire(grant)

    def hand_off(_):
        try:
            handoff.fresh_token(grant=grant)
        except TokenUnavailable as unavailable:
            return unavailable.retry_after_seconds
        finally:
            connection.close()

    asked = []
    for _ in range(3):
        sandbox.cloud.faults.add("token", "server_error", times=1)
        with ThreadPoolExecutor(8) as pool:
            waits = list(pool.map(hand_off, range(100)))
        assert min(waits) >= 5
        asked.append(sandbox.cloud.statistics["request.token"] - before)
        pause = grants.again(grant).refresh_at - database_now()
        grants.seconds_pass(sandbox, pause.total_seconds() + 1)
    assert asked == [1, 2, 3]
