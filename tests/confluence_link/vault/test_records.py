"""What is sealed: token sets, client secrets and texts.

Tests named after a number prove that line of 2.5 in the list of threats.
"""

from __future__ import annotations

import pytest
from django.utils import timezone

from confluence_link import vault
from confluence_link.errors import VaultError
from confluence_link.models import Grant, SealedTokenSet
from tests import factories
from tests.confluence_link.vault.places import TEXT


@pytest.fixture
def grant(alice):
    return make_grant(alice)


def make_grant(user, **fields):
    now = timezone.now()
    return Grant.objects.create(
        oauth_app=factories.make_oauth_app(),
        user=user,
        account_id=f"account-{Grant.objects.count()}",
        expires_at=now,
        refresh_at=now,
        consented_at=now,
        last_rotated_at=now,
        **fields,
    )


@pytest.fixture
def sealed(grant):
    vault.store_token_set(grant, access_token="CNRY-a", refresh_token="CNRY-r")
    return SealedTokenSet.objects.get(grant=grant)


def test_a_stored_token_set_opens_for_its_grant(grant, sealed):
    assert vault.open_access(grant, sealed.access) == "CNRY-a"
    assert vault.open_refresh(grant, sealed.refresh) == "CNRY-r"
    assert sealed.key_id == "test-2"


def test_storing_again_replaces_the_token_set_and_its_predecessor(grant, sealed):
    SealedTokenSet.objects.update(
        previous_refresh=sealed.refresh, previous_until=timezone.now()
    )

    vault.store_token_set(grant, access_token="CNRY-b", refresh_token="CNRY-s")

    row = SealedTokenSet.objects.get()
    assert vault.open_access(grant, row.access) == "CNRY-b"
    assert (bytes(row.previous_refresh), row.previous_until) == (b"", None)


def test_v02_the_columns_of_a_token_set_are_not_interchangeable(grant, sealed):
    with pytest.raises(VaultError, match="damaged"):
        vault.open_refresh(grant, sealed.access)
    with pytest.raises(VaultError, match="damaged"):
        vault.open_access(grant, sealed.refresh)


def test_v02_the_tokens_of_one_grant_do_not_open_for_another(grant, sealed, bob):
    other = make_grant(bob)
    vault.store_token_set(other, access_token="CNRY-x", refresh_token="CNRY-y")

    with pytest.raises(VaultError, match="damaged"):
        vault.open_access(other, sealed.access)
    # The one that was meddled with says so, and the other goes on.
    row = SealedTokenSet.objects.get(grant=other)
    assert vault.open_access(other, row.access) == "CNRY-x"


def test_v02_a_grant_moved_to_another_app_does_not_open(grant, sealed):
    grant.oauth_app = factories.make_oauth_app()

    with pytest.raises(VaultError, match="damaged"):
        vault.open_access(grant, sealed.access)


@pytest.mark.parametrize("counter", ["epoch", "generation"])
def test_v03_an_older_token_set_of_the_same_grant_does_not_open(grant, sealed, counter):
    setattr(grant, counter, getattr(grant, counter) + 1)

    with pytest.raises(VaultError, match="damaged"):
        vault.open_access(grant, sealed.access)
    with pytest.raises(VaultError, match="damaged"):
        vault.open_refresh(grant, sealed.refresh)


def test_v16_destroying_leaves_no_row(grant, sealed):
    vault.destroy(grant)

    assert not SealedTokenSet.objects.exists()


# --- client secrets and texts ----------------------------


def test_v15_a_client_secret_opens_for_its_own_app_alone(db):
    ours = factories.make_oauth_app(client_secret="CNRY-secret")
    theirs = factories.make_oauth_app()
    assert vault.open_client_secret(ours) == "CNRY-secret"

    theirs.sealed_client_secret = ours.sealed_client_secret

    with pytest.raises(VaultError, match="damaged"):
        vault.open_client_secret(theirs)


def test_an_app_without_a_secret_has_none_to_open(db):
    app = factories.make_oauth_app()
    app.sealed_client_secret = b""

    with pytest.raises(VaultError, match="damaged"):
        vault.open_client_secret(app)


def test_a_sealed_text_is_text_and_opens_for_its_purpose_alone():
    sealed = vault.seal_text("mfa", TEXT, record="7")

    assert sealed.isascii()
    assert "CNRY" not in sealed
    assert vault.open_text("mfa", sealed, record="7") == TEXT
    for purpose, record in (("other", "7"), ("mfa", "8"), ("mfa", "")):
        with pytest.raises(VaultError, match="damaged"):
            vault.open_text(purpose, sealed, record=record)


@pytest.mark.parametrize("spoil", [" {}", "{}\n", "{}!", "ö{}", "a{}", "{0}{0}"])
def test_v04_a_text_that_is_not_exactly_what_was_sealed_is_damaged(spoil):
    sealed = vault.seal_text("mfa", TEXT)

    with pytest.raises(VaultError, match="damaged"):
        vault.open_text("mfa", spoil.format(sealed))
