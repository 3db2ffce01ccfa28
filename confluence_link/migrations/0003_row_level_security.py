"""The policies of `accounts.isolation` for linked sites and all that belongs to them.

And the rule that a linked site points to a grant of a member of its organization, at
an app of its own organization or of everyone, kept by the database.
"""

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
OWN = f"organization_id = {ORGANIZATION}"
OWN_OR_NOBODYS = f"organization_id IS NULL OR {OWN}"
# The inner query is under its own policy: linked sites of the one organization.
LINKED = "IN (SELECT grant_id FROM confluence_link_linkedsite)"

POLICIES = {
    "confluence_link_linkedsite": (OWN, OWN),
    "confluence_link_vacantsite": (OWN, OWN),
    "confluence_link_linkinvitation": (OWN, OWN),
    "confluence_link_serversetup": (OWN, OWN),
    "confluence_link_pendinglink": (OWN, OWN),
    "confluence_link_oauthapp": (OWN_OR_NOBODYS, OWN),
    # What happened to a grant is told to those who use it.
    "confluence_link_event": (
        f"{OWN} OR (organization_id IS NULL AND grant_id {LINKED})",
        OWN,
    ),
    "confluence_link_grant": (f"user_id = {PERSON} OR id {LINKED}", "false"),
    # No page reads or writes a token: hand-off, refreshing and linking do.
    "confluence_link_sealedtokenset": ("false", "false"),
}

RULES = """
CREATE FUNCTION confluence_link_check_linked_site() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    person bigint;
    app bigint;
    owner_of_app bigint;
BEGIN
    -- One row by its key at a time: a join might be planned as a walk of all members.
    SELECT user_id, oauth_app_id INTO person, app
    FROM confluence_link_grant WHERE id = NEW.grant_id;
    SELECT organization_id INTO owner_of_app
    FROM confluence_link_oauthapp WHERE id = app;
    IF owner_of_app <> NEW.organization_id OR NOT EXISTS (
        SELECT FROM accounts_membership
        WHERE organization_id = NEW.organization_id AND user_id = person
    ) THEN
        RAISE EXCEPTION 'a linked site points out of its organization'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER linked_site_stays_inside
    AFTER INSERT OR UPDATE OF organization_id, grant_id ON confluence_link_linkedsite
    FOR EACH ROW EXECUTE FUNCTION confluence_link_check_linked_site();

CREATE FUNCTION confluence_link_check_membership_end() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (
        SELECT FROM confluence_link_linkedsite l
        JOIN confluence_link_grant g ON g.id = l.grant_id
        WHERE l.organization_id = OLD.organization_id AND g.user_id = OLD.user_id
    ) AND NOT EXISTS (
        SELECT FROM accounts_membership
        WHERE organization_id = OLD.organization_id AND user_id = OLD.user_id
    ) THEN
        RAISE EXCEPTION 'a linked site would outlive its linker''s membership'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER membership_ends_with_its_links
    AFTER DELETE OR UPDATE OF organization_id, user_id ON accounts_membership
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION confluence_link_check_membership_end();
"""

NO_RULES = """
DROP TRIGGER membership_ends_with_its_links ON accounts_membership;
DROP TRIGGER linked_site_stays_inside ON confluence_link_linkedsite;
DROP FUNCTION confluence_link_check_membership_end();
DROP FUNCTION confluence_link_check_linked_site();
"""


def switch_on(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, (visible, writable) in POLICIES.items():
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        schema_editor.execute(
            f"CREATE POLICY tenant ON {table} USING ({visible}) WITH CHECK ({writable})"
        )
    schema_editor.execute(RULES)


def switch_off(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(NO_RULES)
    for table in POLICIES:
        schema_editor.execute(f"DROP POLICY tenant ON {table}")
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_row_level_security"),
        ("confluence_link", "0002_organizations"),
    ]

    operations = [migrations.RunPython(switch_on, switch_off)]
