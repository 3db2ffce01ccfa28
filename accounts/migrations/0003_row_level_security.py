"""The policies of `accounts.isolation` for the tables of people."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# What the request said of itself; 0 is nobody.
ORGANIZATION = (
    "coalesce(nullif(current_setting('confluence_link.organization', true), ''), '0')"
    "::bigint"
)
PERSON = (
    "coalesce(nullif(current_setting('confluence_link.person', true), ''), '0')::bigint"
)

POLICIES = {
    "accounts_organization": (
        f"id = {ORGANIZATION} OR id IN"
        f" (SELECT organization_id FROM accounts_membership WHERE user_id = {PERSON})",
        f"id = {ORGANIZATION}",
    ),
    "accounts_membership": (
        f"organization_id = {ORGANIZATION} OR user_id = {PERSON}",
        f"organization_id = {ORGANIZATION}",
    ),
    "accounts_invitation": (
        f"organization_id = {ORGANIZATION}",
        f"organization_id = {ORGANIZATION}",
    ),
    "accounts_servicekey": (
        f"organization_id = {ORGANIZATION}",
        f"organization_id = {ORGANIZATION}",
    ),
}


def switch_on(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, (visible, writable) in POLICIES.items():
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        schema_editor.execute(
            f"CREATE POLICY tenant ON {table} USING ({visible}) WITH CHECK ({writable})"
        )


def switch_off(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in POLICIES:
        schema_editor.execute(f"DROP POLICY tenant ON {table}")
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_people_and_keys")]

    operations = [migrations.RunPython(switch_on, switch_off)]
