"""An envelope opens in its own place alone, and says why it does not.

Tests named after a number prove that line of 2.5 in the list of threats.
"""

from __future__ import annotations

import pytest

from confluence_link import vault
from confluence_link.errors import VaultError
from tests.confluence_link.vault.places import PLACE, TEXT, reason_of


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

    assert reason_of(envelope, PLACE._replace(**change)) == "damaged"


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


def test_v10_a_failure_to_open_leads_back_to_no_key_and_no_text():
    envelope = vault.seal(TEXT, binding=PLACE)

    with pytest.raises(VaultError) as caught:
        vault.open_sealed(envelope[:-1], binding=PLACE)

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert str(caught.value) == "damaged test-2"
