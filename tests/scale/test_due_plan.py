"""The cost of finding what is due is that of what is due, not of what is there.

Pages of the database are counted, not seconds.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from confluence_link.models import Grant, LinkedSite, database_now
from confluence_link.refresh import due
from tests import many

DUE = 40

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="PostgreSQL explains what it read"
)


@pytest.fixture
def grow(cloud_app, organization, alice):
    """So many grants of one app, of which as many are due each time."""
    site = many.links(organization, alice, app=cloud_app)[0]

    def grow(count):
        more = count - Grant.objects.count()
        name = f"'of-{count}-' || n"
        many.copies(site.grant, more, account_id=name, public_id=f"left({name}, 20)")
        many.copies_for(
            site,
            Grant,
            f"parent.account_id LIKE 'of-{count}-%%'",
            grant_id="parent.id",
            public_id="parent.public_id",
        )
        Grant.objects.update(refresh_at=database_now() + timedelta(minutes=50))
        # All over the table.
        some = Grant.objects.annotate(turn=F("pk") % (count // DUE)).filter(turn=0)
        some.update(refresh_at=database_now() - timedelta(seconds=1))
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) confluence_link_grant")
        return LinkedSite.objects.count()

    return grow


def read(queryset):
    """The plan, and the pages that were looked at."""
    (explained,) = json.loads(
        queryset.explain(format="json", analyze=True, buffers=True)
    )
    plan = explained["Plan"]
    return plan, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def scans(plan):
    """The steps that read grants by an index."""
    steps = [step for part in plan.get("Plans", ()) for step in scans(part)]
    return [plan, *steps] if plan.get("Index Name", "").startswith("grant_") else steps


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("room", [10 * DUE, DUE // 2])
def test_a_sweep_reads_what_is_due_however_many_are_not(grow, cloud_app, room):
    pages = {}
    for count in (1_000, 20_000):
        assert grow(count) == count
        mine = Grant.objects.due(database_now()).filter(oauth_app=cloud_app)
        plan, pages[count] = read(due.most_urgent(mine, room))
    (scan,) = scans(plan)
    assert scan["Index Name"] == "grant_due_of_app"
    assert scan["Actual Rows"] <= DUE + 1
    assert scan.get("Rows Removed by Filter", 0) == 0
    # Few rows may have lain on a page together; the way through an index is short.
    assert pages[20_000] <= pages[1_000] + DUE + 10
