"""What is noted of a key tells it from others, and nothing else.

Tests named after a number prove that line of 2.5 in the list of threats.
"""

from __future__ import annotations

import base64

import pytest

from confluence_link import vault
from confluence_link.errors import VaultError
from confluence_link.models import VaultKey
from tests.confluence_link.vault.places import PLACE, TEXT, random_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_noted(db):
    VaultKey.objects.all().delete()


def bytes_of(entry):
    return base64.b64decode(entry.partition(":")[2])


def test_v07_a_key_is_known_again(settings):
    vault.note_keys()
    assert vault.changed_key_ids() == []

    settings.CONFLUENCE_LINK_VAULT_KEYS = [random_key("test-2"), random_key("k9")]
    assert vault.changed_key_ids() == ["test-2"]

    # Noted once, by the first bytes.
    vault.note_keys()
    assert vault.changed_key_ids() == ["test-2"]
    assert VaultKey.objects.count() == 3


def test_v07_what_is_noted_does_not_hold_the_key(settings):
    vault.note_keys()

    noted = " ".join(VaultKey.objects.values_list("check_value", flat=True))
    for entry in settings.CONFLUENCE_LINK_VAULT_KEYS:
        key = bytes_of(entry)
        assert key.hex()[:16] not in noted
        assert key.hex()[-16:] not in noted


def test_v07_what_is_noted_opens_nothing(settings):
    """As a master key it derives other keys than those that seal."""
    envelope = vault.seal(TEXT, binding=PLACE)
    vault.note_keys()
    noted = VaultKey.objects.get(key_id="test-2").check_value
    as_key = base64.b64encode(bytes.fromhex(noted) * 2).decode()

    settings.CONFLUENCE_LINK_VAULT_KEYS = [f"test-2:{as_key}"]

    with pytest.raises(VaultError, match="damaged"):
        vault.open_sealed(envelope, binding=PLACE)


def test_the_same_bytes_under_two_ids_look_unlike(settings):
    entry = random_key("k1")
    same = f"k2:{entry.partition(':')[2]}"
    settings.CONFLUENCE_LINK_VAULT_KEYS = [entry, same]

    vault.note_keys()

    values = set(VaultKey.objects.values_list("check_value", flat=True))
    assert len(values) == 2


def test_a_key_that_was_given_up_unseen_is_noted_when_it_comes(settings):
    vault.give_up("test-2")
    assert vault.lost_key_ids() == {"test-2"}
    assert vault.changed_key_ids() == []

    vault.note_keys()

    assert vault.lost_key_ids() == set()
    settings.CONFLUENCE_LINK_VAULT_KEYS = [random_key("test-2")]
    assert vault.changed_key_ids() == ["test-2"]
