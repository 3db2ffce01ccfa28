"""A closed account leaves nothing behind; an updated one is read again, or goes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.sessions.models import Session

from confluence_link import linking, personal_data
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    PendingLink,
    SealedTokenSet,
    VacantSite,
    database_now,
)
from confluence_link.refresh import claim
from tests import grants
from tests.confluence_link.personal_data.conftest import ALICE_ID, BOB_ID

ALICE = "Alice Adams"


def everything_stored():
    """All values of all rows of all tables, as text."""
    rows = (row for model in apps.get_models() for row in model.objects.all().values())
    stored = [str(value) for row in rows for value in row.values()]
    return stored + [str(session.get_decoded()) for session in Session.objects.all()]


def remains(word):
    return [value for value in everything_stored() if word in value]


@pytest.fixture
def bobs_grant(sandbox, app, bob, other_organization):
    return grants.link_cloud(
        sandbox,
        app,
        user=bob,
        organization=other_organization,
        account="bob",
        site="riverside",
    )


@pytest.fixture
def pending(sandbox, app, grant, alice, organization):
    return linking.pend(
        consent=grants.consent_of(
            sandbox.cloud, app, account="alice", site="northwind", decision="accept"
        ),
        oauth_app=app,
        user=alice,
        organization=organization,
        session_key="a-session",
    )


# --- closed ---------------------------------------------------------------------


def test_of_a_closed_account_nothing_remains_in_any_table(
    sandbox, grant, pending, store, carol, bobs_grant
):
    store(ALICE_ID, user=carol, status=Grant.Status.UNLINKED, account_name="")
    assert remains(ALICE_ID)
    assert remains(ALICE)
    sandbox.cloud.set_account_status("alice", "closed")

    counts = personal_data.report_accounts()

    assert counts == {"reported": 2, "closed": 1}
    assert remains(ALICE_ID) == []
    assert remains(ALICE) == []
    assert remains(BOB_ID)


def test_a_closed_account_takes_tokens_sites_and_pending_links_with_it(
    sandbox, grant, pending, bobs_grant
):
    personal_data.erase(account_id=ALICE_ID)

    assert [sealed.grant for sealed in SealedTokenSet.objects.all()] == [bobs_grant]
    assert [linked.grant for linked in LinkedSite.objects.all()] == [bobs_grant]
    assert not PendingLink.objects.exists()
    assert SocialAccount.objects.get().uid == BOB_ID


def test_shared_sites_wait_for_somebody_else_under_their_id(grant, organization):
    linked_site = grant.linked_sites.get()

    personal_data.erase(account_id=ALICE_ID)

    waiting = VacantSite.objects.get()
    assert waiting.public_id == linked_site.public_id
    assert (waiting.organization, waiting.former) == (organization, None)


def test_sites_that_their_linker_kept_are_simply_gone(grant):
    LinkedSite.objects.update(shared=False)

    personal_data.erase(account_id=ALICE_ID)

    assert not VacantSite.objects.exists()


def test_the_grant_ends_and_keeps_its_row(grant):
    personal_data.erase(account_id=ALICE_ID)

    ended = grants.again(grant)
    assert (ended.public_id, ended.status) == (grant.public_id, "unlinked")
    assert ended.epoch > grant.epoch
    assert ended.account_id == f"closed_{grant.public_id}"
    assert (ended.account_name, ended.sites, ended.account_read_at) == ("", [], None)


def test_what_happened_is_told_without_the_account(grant, organization):
    personal_data.erase(account_id=ALICE_ID)

    told = {event.kind: event for event in Event.objects.filter(grant=grant)}
    assert told[Event.Kind.ACCOUNT_CLOSED].facts == {}
    assert told[Event.Kind.ACCOUNT_CLOSED].actor is None
    assert told[Event.Kind.UNLINKED].organization == organization


def test_a_refresh_that_is_under_way_is_fenced(grant):
    grants.make_due(grant)
    _, (leased,) = claim.lease_due([grant.pk])

    personal_data.erase(account_id=ALICE_ID)

    ended = grants.again(grant)
    assert ended.lease_id is None
    assert ended.epoch > leased.epoch


def test_a_grant_whose_sites_are_gone_already_ends_as_well(grant):
    LinkedSite.objects.all().delete()

    personal_data.erase(account_id=ALICE_ID)

    assert not SealedTokenSet.objects.exists()
    assert not SocialAccount.objects.exists()
    ended = grants.again(grant)
    assert (ended.status, ended.sites) == (Grant.Status.UNLINKED, [])


def test_erasing_twice_changes_nothing_more(grant):
    personal_data.erase(account_id=ALICE_ID)
    personal_data.erase(account_id=ALICE_ID)

    assert Event.objects.filter(kind=Event.Kind.ACCOUNT_CLOSED).count() == 1


def test_an_equal_id_at_a_data_center_server_is_somebody_else(data_center_grant):
    personal_data.erase(account_id=data_center_grant.account_id)

    kept = grants.again(data_center_grant)
    assert (kept.status, kept.account_id) == ("active", data_center_grant.account_id)


def test_the_other_accounts_of_a_report_are_kept(sandbox, grant, bobs_grant):
    sandbox.cloud.set_account_status("bob", "closed")

    personal_data.report_accounts()

    assert grants.again(grant).status == Grant.Status.ACTIVE
    assert grants.again(bobs_grant).status == Grant.Status.UNLINKED


# --- updated --------------------------------------------------------------------


def days_ago(days):
    return database_now() - timedelta(days=days)


def test_an_updated_account_is_read_again_with_its_own_grant(sandbox, grant):
    Grant.objects.update(account_read_at=days_ago(9))
    sandbox.cloud.rename("alice", "Alice Brown")

    assert personal_data.report_accounts() == {"reported": 1, "updated": 1}

    read = grants.again(grant)
    assert read.account_name == "Alice Brown"
    assert read.account_read_at > days_ago(1)
    assert read.account_reported_at > days_ago(1)


def test_every_row_of_the_account_gets_the_new_date(sandbox, grant, store, bob):
    old = {"user": bob, "account_name": "", "account_read_at": days_ago(9)}
    unlinked = store(ALICE_ID, status=Grant.Status.UNLINKED, **old)

    personal_data.read_again(oauth_app=grant.oauth_app, account_id=ALICE_ID)

    assert grants.again(unlinked).account_read_at > days_ago(1)
    assert grants.again(unlinked).account_name == ""


def test_a_name_that_cannot_be_read_is_erased_and_comes_back_in_the_next_cycle(
    sandbox, grant
):
    sandbox.cloud.rename("alice", "Alice Brown")
    sandbox.cloud.faults.add("me", "server_error", times=1)
    personal_data.report_accounts()
    erased = grants.again(grant)
    assert erased.account_name == ""
    assert erased.account_read_at == grant.account_read_at

    grants.seconds_pass(sandbox, 8 * 24 * 3600)
    personal_data.report_accounts()

    assert grants.again(grant).account_name == "Alice Brown"


def test_the_name_of_a_dead_grant_is_erased(sandbox, grant):
    Grant.objects.update(status=Grant.Status.RECONNECT_NEEDED)

    personal_data.read_again(oauth_app=grant.oauth_app, account_id=ALICE_ID)

    assert grants.again(grant).account_name == ""
    assert sandbox.cloud.statistics["request.me"] == 1


def test_of_an_unlinked_account_nothing_is_left_to_be_out_of_date(store, app):
    stored = store(
        "a",
        status=Grant.Status.UNLINKED,
        account_name="",
        account_read_at=days_ago(9),
    )

    personal_data.read_again(oauth_app=app, account_id="a")

    assert grants.again(stored).account_read_at > days_ago(1)


def test_a_token_that_turns_out_to_be_somebody_elses_gives_no_name(grant):
    Grant.objects.update(account_id="not-alice")

    personal_data.read_again(oauth_app=grant.oauth_app, account_id="not-alice")

    assert grants.again(grant).account_name == ""
