"""A token for a service: alive, for as long as asked, and only where it may be."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
from django.utils.dateparse import parse_datetime

from confluence_link import linking
from confluence_link.client import ConfluenceClient
from confluence_link.models import Grant, LinkedSite, SealedTokenSet, database_now
from tests import factories, grants, link_steps
from tests.confluence_link.api.conftest import make_key


@pytest.fixture
def hand_out(call, key, site):
    """Asks for a token of the site, with a body or none."""

    def hand_out(body=None, *, key=key, site=site):
        raw = b"" if body is None else json.dumps(body)
        path = f"linked-sites/{site.public_id}/token"
        return call(path, key, "post", data=raw, content_type="application/json")

    return hand_out


def _ends_in(*, seconds):
    now = database_now()
    Grant.objects.update(
        expires_at=now + timedelta(seconds=seconds),
        last_rotated_at=now - timedelta(hours=1),
    )


def test_a_token_is_handed_out_with_all_that_it_takes_to_use_it(hand_out, site):
    answer = hand_out({"min_seconds": 300})
    handed = answer.json()
    assert answer.status_code == 200
    assert handed["access_token"] == grants.tokens(site.grant)[0]
    assert handed["token_type"] == "Bearer"
    assert parse_datetime(handed["expires_at"]) > database_now() + timedelta(
        seconds=300
    )
    assert handed["api_base_url"].endswith(f"/ex/confluence/{site.site_id}")
    assert "read:page:confluence" in handed["scopes"]


def test_without_a_body_a_minute_is_asked_for(hand_out):
    assert hand_out().status_code == 200


def test_a_token_that_ends_too_soon_is_refreshed_first(hand_out, site, sandbox):
    before = grants.tokens(site.grant)[0]
    now = database_now()
    Grant.objects.update(
        expires_at=now + timedelta(seconds=100),
        last_rotated_at=now - timedelta(hours=1),
    )
    assert hand_out({"min_seconds": 60}).json()["access_token"] == before
    assert hand_out({"min_seconds": 3000}).json()["access_token"] != before


@pytest.mark.parametrize(
    "body",
    [
        {"min_seconds": 3601},
        {"min_seconds": -1},
        {"min_seconds": "60"},
        {"min_seconds": 60.5},
        {"min_seconds": True},
        {"min_seconds": float("nan")},
        {"min_seconds": None},
        {"organization": "bob-and-co"},
        {"min_seconds": 60, "status": "active", "epoch": 7, "owner": 1},
        [],
        "60",
    ],
)
def test_a17_a_body_with_anything_else_is_refused(hand_out, body):
    answer = hand_out(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 16_000, 400),
        (b"[" * 100_000, 413),
        (b'{"a":' * 3_000, 400),
        (b"[" * 3_000_000, 413),
        (b"\xff\xfe\x00", 400),
        ('{"min_seconds": 60}'.encode("utf-16-be")[1:], 400),
        (b"{", 400),
        (b"min_seconds=60", 400),
    ],
)
def test_a22_a_body_that_is_none_is_refused_at_once(call, key, site, body, status):
    path = f"linked-sites/{site.public_id}/token"
    began = time.monotonic()
    answer = call(path, key, "post", data=body, content_type="application/json")
    assert answer.status_code == status
    assert time.monotonic() - began < 2


def test_a22_a_length_that_no_body_has_is_refused(call, key, site):
    path = f"linked-sites/{site.public_id}/token"
    answer = call(path, key, "post", CONTENT_LENGTH="9" * 5000)
    assert answer.status_code == 413


def test_a06_no_cache_keeps_a_token(hand_out):
    answer = hand_out()
    assert answer["Cache-Control"] == "no-store"
    assert answer["Vary"] == "Authorization"
    assert not answer.has_header("ETag")
    assert not answer.has_header("Set-Cookie")


# What stands in the way
# ------------------------------------------------------------------------------
def test_a_site_kept_to_its_linker_gives_no_token(hand_out):
    LinkedSite.objects.update(shared=False)
    assert hand_out().status_code == 404


@pytest.mark.parametrize("status", ["paused", "lost"])
def test_a_site_that_rests_gives_no_token(hand_out, status):
    LinkedSite.objects.update(status=status)
    answer = hand_out()
    assert (answer.status_code, answer.json()["code"]) == (409, status)


def test_a_deactivated_linker_gives_no_token(
    call, carol, cloud_app, key, organization, sandbox, site
):
    people = {"user": carol, "organization": organization}
    as_bob = {"account": "bob", "site": "riverside"}
    grant = grants.link_cloud(sandbox, cloud_app, **people, **as_bob)
    carol.is_active = False
    carol.save()
    path = f"linked-sites/{grant.linked_sites.get().public_id}/token"
    answer = call(path, key, "post")
    assert (answer.status_code, answer.json()["code"]) == (409, "paused")


def test_a_dead_grant_says_who_must_act(hand_out):
    Grant.objects.update(status=Grant.Status.RECONNECT_NEEDED, death_reason="revoked")
    answer = hand_out()
    assert (answer.status_code, answer.json()["code"]) == (409, "reconnect_needed")


def test_while_nothing_can_be_refreshed_it_says_when_to_come_back(hand_out, sandbox):
    _ends_in(seconds=-1)
    sandbox.reset()
    answer = hand_out()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer["Retry-After"]) > 0


def test_a_token_that_does_not_open_is_for_operators(hand_out):
    SealedTokenSet.objects.update(access=b"\x01damaged")
    answer = hand_out()
    assert (answer.status_code, answer.json()["code"]) == (503, "vault_unavailable")


# T16: a token reaches more than one organization may use
# ------------------------------------------------------------------------------
@pytest.fixture
def two_sites(carol, carol_client, cloud_app, organization, sandbox):
    """Carol's one account: Northwind for A, Riverside for B."""
    second = factories.make_organization("Second", owner=carol)
    link_steps.link_cloud(carol_client, sandbox, organization=organization)
    back = link_steps.consented_to_cloud(
        carol_client, sandbox, organization=second, site="riverside"
    )
    link_steps.confirm(carol_client, back, sites=[link_steps.cloud_id("riverside")])
    here, there = LinkedSite.objects.order_by("name")
    assert (here.organization, there.organization) == (organization, second)
    assert here.grant == there.grant
    return here, there


def test_t16_no_token_that_reaches_another_organizations_site(
    two_sites, call, alice, carol
):
    for site, user in zip(two_sites, (alice, carol), strict=True):
        key = make_key(site.organization, user)
        answer = call(f"linked-sites/{site.public_id}/token", key, "post")
        assert (answer.status_code, answer.json()["code"]) == (409, "shared_grant")
        assert "CNRY" not in answer.content.decode()


def test_t16_another_organizations_site_is_not_there(two_sites, call, key):
    here, there = two_sites
    items = call("linked-sites", key).json()["items"]
    assert [item["id"] for item in items] == [here.public_id]
    assert call(f"linked-sites/{there.public_id}", key).status_code == 404


def test_t16_pages_show_the_own_site_only(two_sites, alice_client, organization):
    page = alice_client.get(f"/o/{organization.slug}/sites/").content.decode()
    assert "Northwind" in page
    assert "Riverside" not in page


def test_t16_the_client_reaches_the_own_site_all_the_same(two_sites):
    with ConfluenceClient.for_linked_site(two_sites[0]) as client:
        assert client.current_user().account_id


@pytest.fixture
def both_here(alice_client, cloud_app, organization, sandbox):
    return link_steps.link_cloud(
        alice_client,
        sandbox,
        organization=organization,
        sites=("northwind", "riverside"),
    )


def test_t16_with_every_site_in_use_here_the_token_is_handed_out(both_here, call, key):
    for site in both_here:
        answer = call(f"linked-sites/{site.public_id}/token", key, "post")
        assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize("how", ["kept", "unlinked", "paused"])
def test_t16_one_site_that_is_not_in_use_here_is_one_too_many(
    both_here, alice, call, key, how
):
    here, other = both_here
    if how == "kept":
        linking.keep_private(linked_site=other, actor=alice)
    elif how == "paused":
        LinkedSite.objects.filter(pk=other.pk).update(status="paused")
    else:
        linking.unlink(linked_site=other, actor=alice)
    answer = call(f"linked-sites/{here.public_id}/token", key, "post")
    assert (answer.status_code, answer.json()["code"]) == (409, "shared_grant")
