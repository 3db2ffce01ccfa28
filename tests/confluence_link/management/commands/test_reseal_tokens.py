"""What an operator sees of moving everything to another key."""

from __future__ import annotations

import io

import pytest
from django.core.management.base import CommandError

from confluence_link import vault
from confluence_link.models import OAuthApp, SealedTokenSet
from confluence_link.refresh import spool
from confluence_link.tokens import TokenSet
from tests import factories, grants
from tests.confluence_link.resealing import sealed
from tests.confluence_link.resealing.sealed import reseal_tokens
from tests.confluence_link.vault.places import random_key


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def ring(settings):
    return list(settings.CONFLUENCE_LINK_VAULT_KEYS)


@pytest.fixture
def grant(settings, ring, sandbox, cloud_app, alice, organization):
    """One of each kind under the old key; the new one is in front now."""
    sealed.only_old_key(settings)
    vault.seal_client_secret(cloud_app, sandbox.cloud.client.secrets[0])
    cloud_app.save()
    grant = sealed.one_of_each(sandbox, cloud_app, alice, organization)
    settings.CONFLUENCE_LINK_VAULT_KEYS = ring
    return grant


def test_it_tells_what_moved_and_which_keys_are_needed(grant):
    told = reseal_tokens().splitlines()

    assert "token sets: 1 moved" in told
    assert "second factors: 2 moved" in told
    assert "token sets: 1 under test-2" in told
    assert "second factors: 4 under test-2" in told
    assert "Needed: test-2 (new values: test-2)." in told
    assert told[-1].startswith("Can be dropped: test-1;")


def test_a_second_run_moves_nothing(grant):
    reseal_tokens()

    assert "moved" not in reseal_tokens()


def test_a_dry_run_counts_and_changes_nothing(grant):
    before = sealed.everything()

    told = reseal_tokens("--dry-run").splitlines()

    assert sealed.everything() == before
    assert "token sets: 1 under test-1" in told
    assert "client certificates: 1 under test-1" in told
    assert "Needed: test-1, test-2 (new values: test-2)." in told
    assert "dropped" not in told[-1]


@pytest.mark.parametrize("out", [io.StringIO, Terminal])
@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_nothing_of_a_secret_is_told(ring, grant, out, options):
    told = reseal_tokens(*options, stdout=out())

    assert "CNRY" not in told
    keys = [entry.partition(":")[2] for entry in ring]
    assert not any(key in told for key in keys)
    assert ("#" in told) == (out is Terminal and not options)


def test_what_does_not_open_fails_the_command_at_its_end(settings, ring, grant):
    OAuthApp.objects.update(sealed_proxy_credentials=b"not an envelope")
    settings.CONFLUENCE_LINK_VAULT_KEYS = [ring[0]]

    with pytest.raises(CommandError) as failed:
        reseal_tokens()

    problems = str(failed.value).splitlines()
    assert (
        "token sets: 1 did not open and are as they were (key test-1 is missing)."
        in problems
    )
    assert any(problem.startswith("proxy credentials: 1") for problem in problems)
    assert failed.value.returncode == 1


def test_a_damaged_row_keeps_its_key_needed(grant):
    spoiled = bytearray(SealedTokenSet.objects.get().access)
    spoiled[-1] ^= 1
    SealedTokenSet.objects.update(access=bytes(spoiled))
    out = io.StringIO()

    with pytest.raises(CommandError, match=r"\(key test-1\)"):
        reseal_tokens(stdout=out)

    assert "token sets: 1 under test-1" in out.getvalue()
    assert "Needed: test-1, test-2" in out.getvalue()


def test_a_spooled_answer_keeps_its_key_needed(settings, ring, grant):
    sealed.only_old_key(settings)
    answer = TokenSet("an-access-token", "a-refresh-token", 3600, None)
    spool.keep(grants.again(grant), answer, asked_at=grant.last_rotated_at)
    settings.CONFLUENCE_LINK_VAULT_KEYS = ring

    told = reseal_tokens()

    assert "spooled answers on this machine: 1 under test-1" in told
    assert "Needed: test-1, test-2" in told


def test_other_bytes_under_a_known_id_seal_nothing(settings, ring, grant):
    vault.note_keys()
    before = sealed.everything()
    settings.CONFLUENCE_LINK_VAULT_KEYS = [random_key("test-2"), ring[1]]

    with pytest.raises(CommandError, match="Other bytes than before: key test-2"):
        reseal_tokens()

    assert sealed.everything() == before


def test_a_key_that_is_lost_for_good_is_given_up(settings, ring, db):
    factories.make_oauth_app()
    settings.CONFLUENCE_LINK_VAULT_KEYS = [ring[1]]

    assert "starts without key test-2" in reseal_tokens("--give-up", "test-2")

    assert vault.lost_key_ids() == {"test-2"}


def test_a_key_that_is_there_cannot_be_given_up(db):
    with pytest.raises(CommandError, match="Key test-1 is there"):
        reseal_tokens("--give-up", "test-1")


def test_without_keys_it_is_refused(settings, db):
    settings.DEBUG = True
    settings.CONFLUENCE_LINK_VAULT_KEYS = []

    with pytest.raises(CommandError, match="no key"):
        reseal_tokens()
