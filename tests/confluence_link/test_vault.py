"""The vault: opens in its own place alone, and says why it does not.

Tests named after a number prove that line of 2.5 in the list of threats.
"""

from __future__ import annotations

import base64
import dataclasses
import secrets

import pytest
from django.utils import timezone

from confluence_link import refresh, vault
from confluence_link.errors import VaultError
from confluence_link.models import Grant, SealedTokenSet
from tests import factories, grants

PLACE = vault.Binding(
    purpose="access_token",
    table="sealed_token_set",
    record="a-grant",
    oauth_app="1",
    epoch=2,
    generation=3,
)
TEXT = "CNRY-token.of_a~person+/="


def random_key(name="k1"):
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def reason_of(envelope, place=PLACE):
    with pytest.raises(VaultError) as caught:
        vault.open_sealed(envelope, binding=place)
    assert TEXT not in str(caught.value)
    return caught.value.reason


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


# --- envelopes ----------------------------------------------------------------


@pytest.mark.parametrize("text", [TEXT, "", "ö ☃", "x" * 100_000])
def test_what_was_sealed_opens_in_its_place(text):
    assert vault.open_sealed(vault.seal(text, binding=PLACE), binding=PLACE) == text


def test_a_memoryview_opens_as_the_database_driver_gives_it():
    envelope = memoryview(vault.seal(TEXT, binding=PLACE))

    assert vault.open_sealed(envelope, binding=PLACE) == TEXT
    assert vault.key_id_of(envelope) == "test-2"


def test_an_envelope_shows_its_version_and_key_and_nothing_else():
    envelope = vault.seal(TEXT, binding=PLACE)

    assert envelope.startswith(b"\x01\x06test-2")
    assert b"CNRY" not in envelope
    assert len(envelope) == 2 + len("test-2") + 16 + 12 + len(TEXT) + 16


def test_v09_no_salt_and_nonce_come_twice():
    starts = {vault.seal("", binding=PLACE)[8:36] for _ in range(5_000)}

    assert len(starts) == 5_000
    assert len({start[:16] for start in starts}) == 5_000
    assert len({start[16:] for start in starts}) == 5_000


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "refresh_token"},
        {"table": "oauth_app"},
        {"record": "another-grant"},
        {"oauth_app": "2"},
        {"epoch": 3},
        {"generation": 2},
        {"generation": 4},
        # Fields that would run together if they were only joined.
        {"table": "sealed_token_seta", "record": "-grant"},
        {"epoch": 23, "generation": 0},
    ],
    ids=str,
)
def test_v02_an_envelope_does_not_open_in_another_place(change):
    envelope = vault.seal(TEXT, binding=PLACE)

    assert reason_of(envelope, dataclasses.replace(PLACE, **change)) == "damaged"


def test_v04_no_byte_may_be_flipped():
    envelope = vault.seal(TEXT, binding=PLACE)

    for place in range(len(envelope)):
        for flip in (0x01, 0x03, 0x80, 0xFF):
            spoiled = bytearray(envelope)
            spoiled[place] ^= flip
            assert reason_of(bytes(spoiled)) in {"damaged", "key_missing"}


def test_v04_no_length_but_the_whole_opens():
    envelope = vault.seal(TEXT, binding=PLACE)

    for length in range(len(envelope)):
        assert reason_of(envelope[:length]) in {"damaged", "key_missing"}
    assert reason_of(envelope + b"\x00") == "damaged"


@pytest.mark.parametrize("nothing", [b"", b" ", b"\n" * 80, b"\x00" * 80])
def test_v04_what_is_no_envelope_is_damaged(nothing):
    assert reason_of(nothing) == "damaged"


def test_v04_an_unknown_version_is_damaged():
    envelope = vault.seal(TEXT, binding=PLACE)

    assert reason_of(b"\x02" + envelope[1:]) == "damaged"


def test_v04_an_unknown_key_id_is_named():
    envelope = vault.seal(TEXT, binding=PLACE).replace(b"test-2", b"test-9")

    with pytest.raises(VaultError, match=r"^key_missing test-9$") as caught:
        vault.open_sealed(envelope, binding=PLACE)
    assert caught.value.key_id == "test-9"


def test_v04_another_key_of_the_ring_does_not_open_it():
    envelope = vault.seal(TEXT, binding=PLACE).replace(b"test-2", b"test-1")

    assert reason_of(envelope) == "damaged"


def test_v18_plain_text_is_no_envelope():
    assert reason_of(TEXT.encode() * 4) == "damaged"


# --- the key ring -------------------------------------------------------------


def test_the_first_key_seals_and_all_keys_open(settings):
    newer, older = settings.CONFLUENCE_LINK_VAULT_KEYS
    settings.CONFLUENCE_LINK_VAULT_KEYS = [older]
    envelope = vault.seal(TEXT, binding=PLACE)
    assert vault.sealing_key_id() == vault.key_id_of(envelope) == "test-1"

    settings.CONFLUENCE_LINK_VAULT_KEYS = [newer, older]

    assert vault.sealing_key_id() == "test-2"
    assert vault.open_sealed(envelope, binding=PLACE) == TEXT


def test_v06_without_its_key_an_envelope_waits_for_it(settings):
    envelope = vault.seal(TEXT, binding=PLACE)
    newer, older = settings.CONFLUENCE_LINK_VAULT_KEYS

    settings.CONFLUENCE_LINK_VAULT_KEYS = [older]
    assert reason_of(envelope) == "key_missing"

    settings.CONFLUENCE_LINK_VAULT_KEYS = [older, newer]
    assert vault.open_sealed(envelope, binding=PLACE) == TEXT


def test_v06_without_its_key_a_grant_is_kept_and_comes_back(
    sandbox, settings, cloud_grant
):
    asked = sandbox.cloud.statistics["request.token"]
    newer, older = settings.CONFLUENCE_LINK_VAULT_KEYS
    settings.CONFLUENCE_LINK_VAULT_KEYS = [older]
    grants.make_due(cloud_grant)

    outcomes = refresh.refresh_batch([cloud_grant.pk])

    assert outcomes == [refresh.Outcome.UNDECRYPTABLE]
    assert grants.again(cloud_grant).status == Grant.Status.ACTIVE
    assert sandbox.cloud.statistics["request.token"] == asked

    settings.CONFLUENCE_LINK_VAULT_KEYS = [newer, older]
    grants.make_due(cloud_grant)
    outcomes = refresh.refresh_batch([cloud_grant.pk])
    assert outcomes == [refresh.Outcome.REFRESHED]


def test_v07_other_bytes_under_a_known_key_id_open_nothing(settings):
    envelope = vault.seal(TEXT, binding=PLACE)
    before = settings.CONFLUENCE_LINK_VAULT_KEYS

    settings.CONFLUENCE_LINK_VAULT_KEYS = [random_key("test-2")]
    assert reason_of(envelope) == "damaged"

    settings.CONFLUENCE_LINK_VAULT_KEYS = before
    assert vault.open_sealed(envelope, binding=PLACE) == TEXT


def test_v08_without_a_usable_key_nothing_is_sealed(settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = ["k1:dG9vIHNob3J0"]

    with pytest.raises(VaultError, match="no_keys"):
        vault.seal(TEXT, binding=PLACE)
    with pytest.raises(VaultError, match="no_keys"):
        vault.sealing_key_id()


def test_v08_a_good_key_ring_has_no_problems(settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = [random_key("new"), random_key("old")]

    assert vault.key_ring_problems() == []


def repeated(pattern):
    return "k1:" + base64.b64encode((pattern * 32)[:32]).decode()


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([], "There is no key."),
        (["no colon"], "Key 1 is not of the form id:base64"),
        ([":" + "A" * 44], "Key 1 is not of the form id:base64"),
        (["schlüssel:" + "A" * 44], "Key 1 is not of the form id:base64"),
        (["k" * 33 + ":" + "A" * 44], "Key 1 is not of the form id:base64"),
        (["k1:%%%"], "Key 1 is not base64 after the colon"),
        (["k1:ö"], "Key 1 is not base64 after the colon"),
        (["k1:"], "Key 1 has 0 bytes instead of 32"),
        (["k1:" + "AQ" * 8 + "AQ=="], "Key 1 has 13 bytes instead of 32"),
        ([repeated(b"\x00")], "Key 1 is not random"),
        ([repeated(b"changeme"[:7])], "Key 1 is not random"),
        ([random_key(), repeated(b"\xff")], "Key 2 is not random"),
        ([random_key(), random_key()], "Two keys have the same id."),
        ([repeated(b"0123456789"), "k2" + repeated(b"0123456789")[2:]], "same bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_v08_a_bad_key_ring_is_told(settings, entries, problem):
    settings.CONFLUENCE_LINK_VAULT_KEYS = entries

    assert any(problem in told for told in vault.key_ring_problems())


def test_v08_a_key_made_from_the_secret_key_is_refused(settings):
    settings.SECRET_KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
    itself = settings.SECRET_KEY[:32].encode()
    settings.CONFLUENCE_LINK_VAULT_KEYS = ["k1:" + base64.b64encode(itself).decode()]
    assert vault.key_ring_problems() == ["Key 1 is made from SECRET_KEY."]

    key = random_key()
    settings.SECRET_KEY = f"prefix-{key[3:]}"
    settings.CONFLUENCE_LINK_VAULT_KEYS = [key]
    assert vault.key_ring_problems() == ["Key 1 is made from SECRET_KEY."]


def test_v08_a_problem_never_quotes_the_key(settings):
    entries = [random_key(), random_key(), "k3:c2hvcnQtYnV0LXNlY3JldA=="]
    settings.CONFLUENCE_LINK_VAULT_KEYS = entries

    told = " ".join(vault.key_ring_problems())

    assert not any(entry.partition(":")[2] in told for entry in entries)


# --- token sets ---------------------------------------------------------------


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


# --- client secrets and texts -------------------------------------------------


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


def test_v10_a_failure_to_open_leads_back_to_no_key_and_no_text():
    envelope = vault.seal(TEXT, binding=PLACE)

    with pytest.raises(VaultError) as caught:
        vault.open_sealed(envelope[:-1], binding=PLACE)

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert str(caught.value) == "damaged test-2"
