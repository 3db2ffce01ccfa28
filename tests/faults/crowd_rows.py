"""A hundred thousand grants of one organization, and two thousand small ones.

For `tests.faults.inside`, whose process is one of the installation's.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.db.models import F

from accounts.models import Membership, Organization, User
from confluence_link import vault
from confluence_link.models import (
    Grant,
    OAuthApp,
    OAuthAppHealth,
    SealedTokenSet,
    database_now,
)
from tests import many
from tests.faults.crowd_endpoint import token

BATCH = 5_000


def make_crowd(big: int, organizations: int, each: int) -> list[int]:
    """All of Alice's, at Cloud; the first id, and the last of the big organization's.

    The others follow, one organization after the other. All rest for a day.
    """
    alice = User.objects.get(first_name="Alice")
    home = Organization.objects.get()
    small = _small_organizations(organizations, alice)
    (site,) = many.links(home, alice, app=OAuthApp.objects.get(provider_id="cloud"))
    first = site.grant_id
    _rest(first)
    many.copies(
        site.grant,
        big + organizations * each - 1,
        account_id="'crowd-' || n",
        public_id="'crowd-' || n",
    )
    last = Grant.objects.order_by("pk").last().pk
    assert last - first + 1 == big + organizations * each
    many.copies_for(
        site,
        Grant,
        f"parent.id > {first}",
        grant_id="parent.id",
        public_id="'crowd-' || parent.id",
        site_id="'crowd-' || parent.id",
        organization_id=f"CASE WHEN parent.id < {first + big} THEN {home.pk}"
        f" ELSE {small} + (parent.id - {first + big}) / {each} END",
    )
    _seal(first)
    return [first, first + big - 1]


def _small_organizations(count: int, member: User) -> int:
    """The id of the first of so many in a row."""
    made = Organization.objects.bulk_create(
        Organization(name=f"Small {number}", slug=f"small-{number}")
        for number in range(count)
    )
    Membership.objects.bulk_create(
        Membership(organization=organization, user=member) for organization in made
    )
    return made[0].pk


def _seal(first: int) -> None:
    """The tokens that the endpoint reads."""
    key_id = vault.sealing_key_id()
    grants = Grant.objects.filter(pk__gte=first).only("public_id", "oauth_app_id")
    grants = grants.only("public_id", "oauth_app", "epoch", "generation")
    SealedTokenSet.objects.bulk_create(
        (
            SealedTokenSet(
                grant=grant,
                access=vault.seal_access(grant, token("a", grant.pk, 1)),
                refresh=vault.seal_refresh(grant, token("r", grant.pk, 1)),
                key_id=key_id,
            )
            for grant in grants.iterator(chunk_size=BATCH)
        ),
        batch_size=BATCH,
    )
    many.count_rows(SealedTokenSet)


def _rest(first: int, last: int | None = None) -> None:
    now = database_now()
    rows = Grant.objects.filter(pk__gte=first)
    (rows.filter(pk__lte=last) if last else rows).update(
        refresh_at=now + timedelta(days=1), expires_at=now + timedelta(days=1)
    )


def make_crowd_due(first: int, last: int, live_seconds: int) -> None:
    """All at this second; each was used a second before the one before it.

    The others rest, and the app has seen no failure. The tokens live so long still.
    """
    now = database_now()
    OAuthAppHealth.objects.all().delete()
    _rest(first=0)
    Grant.objects.filter(pk__gte=first, pk__lte=last).update(
        refresh_at=now,
        expires_at=now + timedelta(seconds=live_seconds),
        last_rotated_at=now - timedelta(hours=1),
        last_used_at=now - (F("pk") - first) * timedelta(seconds=1),
        queued_until=None,
    )
    # As autovacuum does a minute later.
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {Grant._meta.db_table}")


def crowd_at_rest() -> None:
    """Nothing is due any more."""
    _rest(first=0)


def late(last: int) -> int:
    """How many up to this one wait although their tokens have ended."""
    over = Grant.objects.filter(pk__lte=last, expires_at__lte=database_now())
    return over.count()
