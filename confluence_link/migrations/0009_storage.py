"""How PostgreSQL keeps what every refresh writes; measured, see docs/scaling.md.

Only for rows that are written from now on: nothing is rewritten here.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_SEALED = "confluence_link_sealedtokenset"
STATEMENTS = (
    # A lease changes no indexed column: with room on its page, no index is written.
    "ALTER TABLE confluence_link_grant SET (fillfactor = 70)",
    # One token set and its successor on one page: no index is written either, and
    # half as many pages are logged whole.
    f"ALTER TABLE {_SEALED} SET (fillfactor = 50, toast_tuple_target = 8160)",
    # What is sealed does not get smaller by compressing.
    f"ALTER TABLE {_SEALED} ALTER access SET STORAGE EXTERNAL,"
    " ALTER refresh SET STORAGE EXTERNAL, ALTER previous_refresh SET STORAGE EXTERNAL",
)


def keep_room(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for statement in STATEMENTS:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("confluence_link", "0008_refresh_engine")]

    operations = [migrations.RunPython(keep_room, migrations.RunPython.noop)]
