"""The first key seals, all open, and a bad one is told.

Tests named after a number prove that line of 2.5 in the list of threats.
"""

from __future__ import annotations

import base64

import pytest

from confluence_link import refresh, vault
from confluence_link.errors import VaultError
from confluence_link.models import Grant
from tests import grants
from tests.confluence_link.vault.places import PLACE, TEXT, random_key, reason_of


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


# Its base64 has the two characters in which the alphabets differ, and padding.
TELLING = bytes(range(240, 256))


def test_a_key_may_be_of_either_base64_alphabet_and_without_padding(settings):
    """`secrets.token_urlsafe` gives the one, `openssl rand -base64` the other."""
    usual = base64.b64encode(TELLING * 2).decode()
    settings.CONFLUENCE_LINK_VAULT_KEYS = [f"k1:{usual}"]
    envelope = vault.seal(TEXT, binding=PLACE)
    for_urls = base64.urlsafe_b64encode(TELLING * 2).decode().rstrip("=")
    assert for_urls != usual.rstrip("=")

    settings.CONFLUENCE_LINK_VAULT_KEYS = [f"k1:{for_urls}"]

    assert vault.key_ring_problems() == []
    assert vault.open_sealed(envelope, binding=PLACE) == TEXT


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
        ([repeated(TELLING), "k2" + repeated(TELLING)[2:].rstrip("=")], "same bytes"),
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


def test_v08_a_weak_key_is_told_of_and_still_seals_on_a_developers_machine(settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = [repeated(b"\x00")]

    sealed = vault.seal_text("a purpose", "a text")

    assert vault.open_text("a purpose", sealed) == "a text"
    assert vault.key_ring_problems() != []
