"""V11: every column that could hold a secret is classified; a new one fails here."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core import serializers
from django.db import connection, models
from django.forms import model_to_dict

from accounts.models import User
from confluence_link.models import OAuthApp, SealedTokenSet

KINDS = (models.BinaryField, models.TextField, models.JSONField, models.CharField)

# What anyone who may see the row may read.
PUBLIC = {
    "accounts.Invitation": {"email", "public_id", "role"},
    "accounts.Membership": {"public_id", "role"},
    "accounts.Organization": {"name", "slug"},
    # The prefix is there to tell keys apart.
    "accounts.ServiceKey": {"name", "prefix", "public_id", "scopes"},
    "accounts.User": {"email", "first_name", "last_name"},
    "confluence_link.Event": {"facts", "kind", "notice"},
    "confluence_link.Grant": {
        "account_id",
        "account_name",
        "death_reason",
        "last_error",
        "public_id",
        "scopes",
        "sites",
        "status",
    },
    "confluence_link.LinkInvitation": {"public_id"},
    "confluence_link.LinkedSite": {
        "icon_url",
        "label",
        "name",
        "public_id",
        "scopes",
        "site_id",
        "status",
        "url",
    },
    "confluence_link.OAuthApp": {
        "allowed_private_hosts",
        "base_url",
        "ca_bundle",
        "client_id",
        "deployment",
        "name",
        "probe_steps",
        "provider_id",
        "proxy_url",
        "scopes",
        "server_id",
        "server_version",
    },
    "confluence_link.OAuthAppHealth": {"last_error"},
    "confluence_link.PendingLink": {
        "account_id",
        "account_name",
        "public_id",
        "scopes",
        "sites",
    },
    "confluence_link.SealedTokenSet": {"key_id"},
    "confluence_link.ServerSetup": {"email", "public_id"},
    "confluence_link.VacantSite": {
        "icon_url",
        "label",
        "name",
        "public_id",
        "site_id",
        "url",
    },
    "confluence_link.VaultKey": {"key_id"},
}
# What opens with the vault alone.
SEALED = {
    "confluence_link.OAuthApp": {
        "sealed_client_certificate",
        "sealed_client_secret",
        "sealed_next_client_secret",
        "sealed_proxy_credentials",
    },
    "confluence_link.PendingLink": {"sealed_token_set"},
    "confluence_link.SealedTokenSet": {"access", "previous_refresh", "refresh"},
}
# What can be compared and not read.
HASHED = {
    "accounts.Invitation": {"token_hash"},
    "accounts.ServiceKey": {"key_hash"},
    "accounts.User": {"password"},
    "confluence_link.LinkInvitation": {"token_hash"},
    "confluence_link.PendingLink": {"session_hash"},
    "confluence_link.ServerSetup": {"token_hash"},
    "confluence_link.UsedState": {"state_hash"},
    "confluence_link.VaultKey": {"check_value"},
}


def our_models():
    for name in ("accounts", "confluence_link"):
        yield from apps.get_app_config(name).get_models(include_auto_created=True)


def columns():
    """Those that hold text or bytes, or that we know nothing of."""
    harmless = (
        models.AutoField,
        models.BooleanField,
        models.DateTimeField,
        models.ForeignKey,
        models.IntegerField,
        models.UUIDField,
    )
    for model in our_models():
        for field in model._meta.get_fields():
            if field.concrete and not isinstance(field, harmless):
                yield model._meta.label, field


COLUMNS = [
    pytest.param(label, field, id=f"{label}.{field.name}")
    for label, field in columns()
    if not field.many_to_many
]


@pytest.mark.parametrize(("label", "field"), COLUMNS)
def test_v11_every_column_is_public_sealed_or_hashed(label, field):
    classes = [
        known
        for known in (PUBLIC, SEALED, HASHED)
        if field.name in known.get(label, ())
    ]

    assert len(classes) == 1, f"{label}.{field.name} is classified {len(classes)} times"


def test_v11_every_classified_column_exists():
    there = {(label, field.name) for label, field in columns()}
    classified = {
        (label, name)
        for known in (PUBLIC, SEALED, HASHED)
        for label, names in known.items()
        for name in names
    }

    assert classified <= there


@pytest.mark.parametrize(("label", "field"), COLUMNS)
def test_v11_bytes_are_sealed_and_sealed_are_bytes(label, field):
    is_sealed = field.name in SEALED.get(label, ())

    assert is_sealed == isinstance(field, models.BinaryField)


@pytest.mark.parametrize(("label", "field"), COLUMNS)
def test_v11_no_form_takes_or_shows_a_sealed_column(label, field):
    if field.name in SEALED.get(label, ()):
        assert not field.editable


def every_row():
    return [row for model in our_models() for row in model._default_manager.all()]


def test_v11_no_way_of_showing_a_row_shows_a_secret(
    cloud_grant, data_center_grant, alice_client
):
    rows = every_row()
    assert {SealedTokenSet, OAuthApp, User} <= {type(row) for row in rows}

    shown = [
        repr(rows),
        " ".join(map(str, rows)),
        serializers.serialize("json", rows),
        repr([model_to_dict(row) for row in rows]),
        repr([list(type(row)._default_manager.values()) for row in rows]),
        " ".join(f"{type(row)._default_manager.all().query} " for row in rows),
    ]

    for text in shown:
        assert "CNRY" not in text
        assert "sandbox-cloud-secret" not in text


def test_v11_no_table_holds_a_token_in_clear(cloud_grant, data_center_grant):
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own tables
            for row in cursor.fetchall():
                for value in row:
                    is_bytes = isinstance(value, bytes | memoryview)
                    text = bytes(value) if is_bytes else str(value).encode()
                    assert b"CNRY" not in text, table
