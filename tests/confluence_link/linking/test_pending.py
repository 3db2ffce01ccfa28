from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from confluence_link import linking, vault
from confluence_link.errors import LinkRefused, VaultError
from confluence_link.linking.pending import binding_of
from confluence_link.models import OAuthApp, PendingLink
from tests import factories
from tests.confluence_link.linking.pendings import SESSION_KEY, consent, make_pending


@pytest.fixture
def own(alice, organization, cloud_app):
    return {"user": alice, "organization": organization, "oauth_app": cloud_app}


@pytest.fixture
def linked_by_bob(bob, other_organization, cloud_app):
    pending = make_pending(
        user=bob, organization=other_organization, oauth_app=cloud_app
    )
    return linking.confirm(pending=pending, site_ids=["northwind"], actor=bob)[0]


def test_the_tokens_wait_sealed(own):
    pending = make_pending(**own)
    assert "CNRY" not in str(PendingLink.objects.values().get())
    opened = vault.open_sealed(pending.sealed_token_set, binding=binding_of(pending))
    assert opened == '["CNRY-access", "CNRY-refresh"]'


def test_tokens_moved_to_another_pending_link_do_not_open(own):
    pending = make_pending(**own)
    other = make_pending(**own, consent=consent(account_id="another"))
    with pytest.raises(VaultError, match="damaged"):
        vault.open_sealed(pending.sealed_token_set, binding=binding_of(other))


def test_the_session_is_kept_as_a_hash(own):
    make_pending(**own)
    assert SESSION_KEY not in str(PendingLink.objects.values().get())


@pytest.mark.parametrize(
    ("granted", "kept"),
    [(None, ["asked"]), (("less",), ["less"]), (("asked", "more"), ["asked", "more"])],
)
def test_l38_the_scopes_are_kept_as_granted_or_if_unsaid_as_asked(own, granted, kept):
    own["oauth_app"].scopes = ["asked"]
    assert make_pending(**own, consent=consent(scopes=granted)).scopes == kept


def test_a_later_consent_of_the_same_account_replaces_the_earlier(own):
    make_pending(**own)
    second = make_pending(**own)
    make_pending(**own, consent=consent(account_id="another"))
    assert PendingLink.objects.count() == 2
    assert PendingLink.objects.filter(pk=second.pk).exists()


def test_only_members_may_wait(own, other_organization):
    own["organization"] = other_organization
    with pytest.raises(LinkRefused, match="not_member"):
        make_pending(**own)
    assert not PendingLink.objects.exists()


def test_an_account_that_another_user_has_linked_does_not_wait(own, linked_by_bob):
    with pytest.raises(LinkRefused, match="other_user"):
        make_pending(**own)
    assert not PendingLink.objects.exists()


def test_an_account_that_another_user_has_unlinked_may(own, bob, linked_by_bob):
    linking.unlink(linked_site=linked_by_bob, actor=bob)
    assert make_pending(**own).pk


# Reconnecting
# ------------------------------------------------------------------------------
def test_another_account_than_the_linked_one_is_refused(own):
    (linked,) = linking.confirm(
        pending=make_pending(**own), site_ids=["northwind"], actor=own["user"]
    )
    with pytest.raises(LinkRefused, match="other_account"):
        make_pending(
            **own, consent=consent(account_id="another"), reconnect=linked.public_id
        )
    assert make_pending(**own, reconnect=linked.public_id).pk


def test_a_linked_site_that_is_gone_asks_for_no_account(own):
    assert make_pending(**own, reconnect="gone").pk


# Finding it again
# ------------------------------------------------------------------------------
@pytest.fixture
def wanted(own):
    pending = make_pending(**own)
    return {
        "public_id": pending.public_id,
        "user": own["user"],
        "organization": own["organization"],
        "session_key": SESSION_KEY,
    }


def test_it_is_found_by_whom_it_belongs_to(wanted):
    assert linking.pending_link(**wanted).public_id == wanted["public_id"]


@pytest.mark.parametrize("name", ["public_id", "user", "organization", "session_key"])
def test_with_anything_wrong_it_is_not_found(wanted, carol, name):
    others = {
        "public_id": "another",
        "user": carol,
        "organization": factories.make_organization(owner=wanted["user"]),
        "session_key": "another",
    }
    with pytest.raises(LinkRefused, match="pending_expired"):
        linking.pending_link(**{**wanted, name: others[name]})


def test_after_fifteen_minutes_it_is_not_found(wanted):
    PendingLink.objects.update(created_at=F("created_at") - timedelta(minutes=15))
    with pytest.raises(LinkRefused, match="pending_expired"):
        linking.pending_link(**wanted)


def test_cancelling_erases_it(own):
    linking.cancel(pending=make_pending(**own))
    assert not PendingLink.objects.exists()


@pytest.mark.parametrize(
    "change", [{"base_url": "https://elsewhere.example.com"}, {"client_id": "another"}]
)
def test_tokens_of_a_server_whose_address_was_changed_meanwhile_do_not_wait(
    own, change
):
    """A refresh would send them to the new address."""
    own["oauth_app"] = factories.make_oauth_app(base_url="https://wiki.example.com")
    OAuthApp.objects.filter(pk=own["oauth_app"].pk).update(**change)

    with pytest.raises(LinkRefused, match="configuration"):
        make_pending(**own)

    assert not PendingLink.objects.exists()
