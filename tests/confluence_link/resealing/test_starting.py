"""A ring that cannot be the one that sealed what is there is told at the start.

Tests named after a number prove that line of 2.5 in the list of threats.
"""

from __future__ import annotations

import pytest
from django.core.checks import ERROR, WARNING, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, connection

from confluence_link import checks, resealing, vault
from confluence_link.models import SealedTokenSet, VaultKey
from tests import factories, grants
from tests.confluence_link.resealing import sealed
from tests.confluence_link.resealing.sealed import NEW, OLD
from tests.confluence_link.vault.places import random_key


@pytest.fixture
def ring(settings):
    return list(settings.CONFLUENCE_LINK_VAULT_KEYS)


@pytest.fixture
def app(db):
    return factories.make_oauth_app(client_secret="CNRY-secret")


def without(ring, key_id):
    return [entry for entry in ring if not entry.startswith(f"{key_id}:")]


def database_messages():
    found = run_checks(databases=["default"])
    return [each for each in found if each.id == "confluence_link.E012"]


# V06: a used key is missing
# ------------------------------------------------------------------------------
def test_v06_a_missing_key_that_sealed_something_stops_a_start(
    settings, ring, cloud_grant
):
    """The Cloud app's secret and the grant's token set."""
    settings.CONFLUENCE_LINK_VAULT_KEYS = without(ring, NEW)

    with pytest.raises(ImproperlyConfigured) as refused:
        checks.refuse_start()

    assert f"Key {NEW} is missing, and 2 stored values need it." in str(refused.value)
    assert [message.level for message in database_messages()] == [ERROR]

    settings.CONFLUENCE_LINK_VAULT_KEYS = ring
    checks.refuse_start()
    assert database_messages() == []


def test_v06_each_missing_key_is_named_with_its_values(settings, ring, app, alice):
    sealed.only_old_key(settings)
    sealed.second_factors(alice)
    settings.CONFLUENCE_LINK_VAULT_KEYS = [random_key("k9")]

    assert [problem.partition(".")[0] for problem in resealing.key_problems()] == [
        f"Key {OLD} is missing, and 4 stored values need it",
        f"Key {NEW} is missing, and 1 stored values need it",
    ]


def test_v06_a_key_that_sealed_nothing_may_go(settings, ring, app):
    settings.CONFLUENCE_LINK_VAULT_KEYS = without(ring, OLD)

    checks.refuse_start()


def test_v06_what_lives_for_minutes_does_not_hold_up_a_start(settings, ring, grant_old):
    """Everything else was moved."""
    SealedTokenSet.objects.update(key_id=NEW)
    settings.CONFLUENCE_LINK_VAULT_KEYS = without(ring, OLD)

    assert resealing.key_problems() == []


@pytest.fixture
def grant_old(settings, ring, sandbox, cloud_app, alice, organization):
    """Pending links and retired tokens under the old key, secrets under the new one."""
    sealed.only_old_key(settings)
    vault.seal_client_secret(cloud_app, sandbox.cloud.client.secrets[0])
    cloud_app.save()
    people = {"user": alice, "organization": organization}
    grant = grants.link_cloud(sandbox, cloud_app, **people)
    settings.CONFLUENCE_LINK_VAULT_KEYS = ring
    vault.seal_client_secret(cloud_app, sandbox.cloud.client.secrets[0])
    cloud_app.save()
    return grant


def test_v06_a_developer_is_warned(settings, ring, caplog, app):
    settings.DEBUG = True
    settings.CONFLUENCE_LINK_VAULT_KEYS = without(ring, NEW)

    checks.refuse_start()

    assert f"Key {NEW} is missing" in caplog.text
    assert [message.level for message in database_messages()] == [WARNING]


def test_v06_the_question_costs_no_more_with_more_token_sets(
    django_assert_num_queries, cloud_grant
):
    """One step of the index for each key, and one to find that there is no more."""
    for _ in range(5):
        grants.copy_of(cloud_grant)

    with django_assert_num_queries(11) as asked:
        assert resealing.key_problems() == []

    of_tokens = [q["sql"] for q in asked if "sealedtokenset" in q["sql"]]
    assert len(of_tokens) == 2
    assert all("LIMIT 1" in sql for sql in of_tokens)


def test_v06_a_key_that_was_given_up_holds_up_nothing(settings, ring, app):
    vault.note_keys()
    settings.CONFLUENCE_LINK_VAULT_KEYS = without(ring, NEW)
    vault.give_up(NEW)

    checks.refuse_start()

    settings.CONFLUENCE_LINK_VAULT_KEYS = ring
    checks.refuse_start()
    assert vault.open_client_secret(app) == "CNRY-secret"


# V07: other bytes under a known id
# ------------------------------------------------------------------------------
def test_v07_other_bytes_under_a_known_id_stop_a_start(settings, ring, db):
    checks.refuse_start()
    changed = [random_key(NEW), *without(ring, NEW)]
    settings.CONFLUENCE_LINK_VAULT_KEYS = changed

    with pytest.raises(ImproperlyConfigured) as refused:
        checks.refuse_start()

    assert f"Key {NEW} has other bytes than before." in str(refused.value)
    assert [message.level for message in database_messages()] == [ERROR]
    entries = [entry.partition(":")[2] for entry in (*ring, *changed)]
    assert not any(entry in str(refused.value) for entry in entries)


def test_v07_an_id_is_not_free_when_its_key_is_gone(settings, ring, db):
    checks.refuse_start()
    settings.CONFLUENCE_LINK_VAULT_KEYS = without(ring, OLD)
    checks.refuse_start()

    settings.CONFLUENCE_LINK_VAULT_KEYS = [*without(ring, OLD), random_key(OLD)]

    with pytest.raises(ImproperlyConfigured, match=f"Key {OLD} has other bytes"):
        checks.refuse_start()


def test_v07_a_developer_is_warned(settings, ring, caplog, db):
    vault.note_keys()
    settings.DEBUG = True
    settings.CONFLUENCE_LINK_VAULT_KEYS = [random_key(NEW)]

    checks.refuse_start()

    assert f"Key {NEW} has other bytes" in caplog.text


def test_v07_migrate_notes_the_keys_it_sees(settings, db):
    VaultKey.objects.all().delete()

    call_command("migrate", verbosity=0)

    assert set(VaultKey.objects.values_list("key_id", flat=True)) == {NEW, OLD}


def test_a_check_notes_nothing(settings, ring, db):
    settings.CONFLUENCE_LINK_VAULT_KEYS = [random_key("k9"), *ring]

    assert database_messages() == []

    assert not VaultKey.objects.filter(key_id="k9").exists()


# The database is not there
# ------------------------------------------------------------------------------
@pytest.mark.parametrize("error", [OperationalError])
def test_a_database_that_is_away_does_not_stop_a_start(caplog, db, error):
    def away(execute, sql, params, many, context):
        if "confluence_link" in sql:
            raise error("the server is away")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(away):
        checks.refuse_start()

    assert "vault keys not compared: OperationalError" in caplog.text


def test_a_database_without_tables_does_not_stop_migrate(caplog, transactional_db):
    with connection.schema_editor() as editor:
        editor.delete_model(VaultKey)
    try:
        assert database_messages() == []
        assert "not compared" not in caplog.text
    finally:
        with connection.schema_editor() as editor:
            editor.create_model(VaultKey)
    resealing.note_new_keys(using="default")
    assert VaultKey.objects.count() == 2
