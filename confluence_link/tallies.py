"""count_refreshed(): how much was refreshed, by the hour. For display alone.

One statement per batch instead of one event per refresh: a million grants would make
a million events an hour. Nothing is decided by these numbers, so whoever counts
neither waits nor fails; what could not be counted is missing from a chart.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import Error, connection, transaction

from accounts.isolation import across_organizations
from confluence_link.models import OAuthAppTally, OrganizationTally, database_now

if TYPE_CHECKING:
    from collections.abc import Collection

logger = logging.getLogger(__name__)

# Charts show one day; the rest is for whoever asks the database about last week.
KEPT: Final = timedelta(days=8)

# Not as long as PostgreSQL waits before it looks for a deadlock: should there be one,
# it is not the other side's transaction that ends.
# Reference: https://www.postgresql.org/docs/current/runtime-config-locks.html
_WAIT_NO_LONGER: Final = "SET LOCAL lock_timeout = '500ms'"

# Rows in the order of their keys: so no two batches wait for each other.
_COUNT: Final = (
    """
    INSERT INTO confluence_link_organizationtally AS tally
        (hour, organization_id, refreshed, refreshed_shared)
    SELECT %s, organization_id, count(DISTINCT grant_id),
        count(DISTINCT CASE WHEN shared THEN grant_id END)
    FROM confluence_link_linkedsite WHERE grant_id {among}
    GROUP BY organization_id ORDER BY organization_id
    ON CONFLICT (hour, organization_id) DO UPDATE SET
        refreshed = tally.refreshed + excluded.refreshed,
        refreshed_shared = tally.refreshed_shared + excluded.refreshed_shared
    """,
    """
    INSERT INTO confluence_link_oauthapptally AS tally (hour, oauth_app_id, refreshed)
    SELECT %s, oauth_app_id, count(*)
    FROM confluence_link_grant WHERE id {among}
    GROUP BY oauth_app_id ORDER BY oauth_app_id
    ON CONFLICT (hour, oauth_app_id) DO UPDATE SET
        refreshed = tally.refreshed + excluded.refreshed
    """,
)


def count_refreshed(grant_ids: Collection[int]) -> None:
    """Adds grants that were refreshed just now to this hour's rows. Never raises.

    For their organizations and their apps; once for a whole batch, and after it is
    stored: what fails here must not undo that.
    """
    if not grant_ids:
        return
    try:
        _count(grant_ids)
    except Error as error:
        logger.warning(
            "not counted, refreshed=%d error=%s", len(grant_ids), type(error).__name__
        )


@across_organizations()
@transaction.atomic
def _count(grant_ids: Collection[int]) -> None:
    hour = database_now().replace(minute=0, second=0, microsecond=0)
    among, ids = _among(grant_ids)
    parameters = [connection.ops.adapt_datetimefield_value(hour), *ids]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_WAIT_NO_LONGER)
        for statement in _COUNT:
            cursor.execute(statement.format(among=among), parameters)


def _among(grant_ids: Collection[int]) -> tuple[str, list[Any]]:
    """A batch has five hundred: as one parameter, where the database can."""
    if connection.vendor == "postgresql":
        return "= ANY(%s)", [list(grant_ids)]
    return f"IN ({', '.join(['%s'] * len(grant_ids))})", [*grant_ids]


def purge() -> None:
    """Forgets what is older than KEPT."""
    before = database_now() - KEPT
    for tallies in (OrganizationTally.objects, OAuthAppTally.objects):
        tallies.filter(hour__lt=before).delete()
