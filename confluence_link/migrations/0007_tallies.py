"""Tallies of refreshes, with the policies of `accounts.isolation` for them."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# As in 0003. Nothing that a request does writes here, and no page asks for an app's.
OWN = (
    "organization_id = coalesce(nullif("
    "current_setting('confluence_link.organization', true), ''), '0')::bigint"
)
VISIBLE = {
    "confluence_link_organizationtally": OWN,
    "confluence_link_oauthapptally": "false",
}


def prepare(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, visible in VISIBLE.items():
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        schema_editor.execute(
            f"CREATE POLICY tenant ON {table} USING ({visible}) WITH CHECK (false)"
        )
        # Room in each page for the next version of its rows.
        schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_row_level_security"),
        ("confluence_link", "0006_vault_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="OAuthAppTally",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hour",
                        "oauth_app_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("refreshed", models.PositiveIntegerField()),
                (
                    "oauth_app",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="confluence_link.oauthapp",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="OrganizationTally",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hour",
                        "organization_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("refreshed", models.PositiveIntegerField()),
                ("refreshed_shared", models.PositiveIntegerField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        # Undone by dropping the tables.
        migrations.RunPython(prepare, migrations.RunPython.noop),
    ]
