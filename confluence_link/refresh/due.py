"""What a sweep hands out: the due grants, in the order and number that is fair.

Each query reads the due rows of one app, or of all servers, through
`grant_due_of_app`, never the table. Uncertain ones come first, then the recently
used. While more are due than an app may have exchanged until the next sweep, each
organization gets a turn before any gets its second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When, Window
from django.db.models.functions import RowNumber

from confluence_link.models import (
    Grant,
    LinkedSite,
    OAuthApp,
    OAuthAppHealth,
    database_now,
)
from confluence_link.refresh import pace
from confluence_link.refresh.contention import patiently
from confluence_link.refresh.exchange import AT_SERVER
from confluence_link.refresh.schedule import UNCERTAIN_GAP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from confluence_link.models.grant import GrantQuerySet

BATCH: Final = 500
# What a server that answers at once gets through long before its leases are over.
SERVER_BATCH: Final = 200
# How long a message is believed to be on its way. If it was lost, the second sweep
# sends it again; the lease makes a second one harmless.
QUEUED_SECONDS: Final = 60
# How long a message is worth anything: the sweeps of a minute had what it names.
MESSAGE_SECONDS: Final = 120
# So many sweeps' worth at once, so that a late sweep leaves no worker idle.
SWEEPS_AHEAD: Final = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """Ids of one app's grants, the most urgent first."""

    ids: list[int]
    is_at_server: bool


def batches(now: datetime) -> list[Batch]:
    """All that should be exchanged until the next sweep.

    Nothing of an app that pauses, and one probe of an app that comes back.
    """
    probes = [_probe(app, now) for app in _recovering(now)]
    return [
        *(batch for batch in probes if batch.ids),
        *(batch for app in _steady_cloud_apps(now) for batch in _of_cloud(app, now)),
        *_at_servers(now),
    ]


# Which apps
# ------------------------------------------------------------------------------
def _recovering(now: datetime) -> list[OAuthApp]:
    """Apps whose breaker opened, whose pause is over, and that did not succeed yet.

    Each is won by one sweep, until the answer of its probe should be here.
    """
    waiting = OAuthAppHealth.objects.filter(openings__gt=0).exclude(
        Q(paused_until__gt=now) | Q(probing_until__gte=now)
    )
    return [
        health.oauth_app
        for health in waiting.select_related("oauth_app")
        if waiting.filter(pk=health.pk).update(
            probing_until=now + timedelta(seconds=QUEUED_SECONDS)
        )
    ]


def _steady_cloud_apps(now: datetime) -> QuerySet[OAuthApp]:
    cloud = OAuthApp.objects.filter(deployment=OAuthApp.Deployment.CLOUD)
    return cloud.exclude(pk__in=_halted(now)).select_related("health")


def _halted(now: datetime) -> QuerySet[OAuthAppHealth, int]:
    """The ids of apps that pause, or that only a probe may ask."""
    halted = OAuthAppHealth.objects.filter(Q(paused_until__gt=now) | Q(openings__gt=0))
    return halted.values_list("oauth_app_id", flat=True)


# What of them
# ------------------------------------------------------------------------------
def _of_cloud(app: OAuthApp, now: datetime) -> list[Batch]:
    per_second = pace.per_second(getattr(app, "health", None), now)
    ahead_seconds = SWEEPS_AHEAD * settings.CONFLUENCE_LINK_SWEEP_SECONDS
    room = math.ceil(per_second * ahead_seconds)
    room -= _queued(app, now)[:room].count()
    ids = list(most_urgent(Grant.objects.due(now).filter(oauth_app=app), room))
    _mark_queued(ids, now)
    size = pace.batch_size(per_second, most=BATCH)
    return [
        Batch(ids[start : start + size], is_at_server=False)
        for start in range(0, len(ids), size)
    ]


def _queued(app: OAuthApp, now: datetime) -> GrantQuerySet:
    """What earlier sweeps handed out and nobody took yet."""
    overdue = Grant.objects.filter(
        oauth_app=app, status=Grant.Status.ACTIVE, refresh_at__lte=now
    )
    return overdue.filter(queued_until__gte=now).order_by("refresh_at")


def most_urgent(due: GrantQuerySet, room: int) -> QuerySet[Grant, int]:
    """The ids of at most `room` of these; all, or by turns of the organizations."""
    # In the order of the index, or the database may read the table to count.
    if due.order_by("refresh_at").values("pk")[: room + 1].count() <= room:
        return due.values_list("pk", flat=True)
    return by_turns(due)[:room]


def by_turns(due: GrantQuerySet) -> QuerySet[Grant, int]:
    """Everybody's first, then everybody's second, and so on; urgent ones first.

    A grant that several organizations use counts for the oldest of them.
    """
    organization = LinkedSite.objects.filter(grant=OuterRef("pk")).order_by(
        "organization_id"
    )
    turn = Window(
        RowNumber(),
        partition_by=Subquery(organization.values("organization_id")[:1]),
        order_by=Grant.URGENCY,
    )
    fair = due.annotate(turn=turn).order_by("turn", *Grant.URGENCY)
    return fair.values_list("pk", flat=True)


def _mark_queued(ids: Collection[int], now: datetime) -> None:
    """So that the next sweep does not send them again while they wait.

    Patiently: a sweep that ended here would leave what it marked before unsent.
    """
    until = now + timedelta(seconds=QUEUED_SECONDS)
    rows = Grant.objects.filter(pk__among=frozenset(ids))
    patiently(lambda: rows.update(queued_until=until))


def take_back(ids: Collection[int]) -> None:
    """Nobody is about to refresh them after all: for the next sweep to hand out."""
    rows = Grant.objects.filter(pk__among=frozenset(ids))
    patiently(lambda: rows.update(queued_until=None))


def still_handed_out(ids: Collection[int]) -> list[int]:
    """Those of these that no sweep handed out too long ago, in their order.

    By the rows, as messages have no clock. In a backlog there may be many sets of one
    server's grants, of which each was to have the server for itself.
    """
    over = database_now() - timedelta(seconds=MESSAGE_SECONDS - QUEUED_SECONDS)
    rows = Grant.objects.filter(pk__among=frozenset(ids), queued_until__lt=over)
    late = set(rows.values_list("pk", flat=True))
    return [pk for pk in ids if pk not in late]


def _at_servers(now: datetime) -> list[Batch]:
    """A batch for each server with room; whoever works on it asks for four at once.

    Those under way stand first in their server's row, and so take up its room.
    """
    servers = OAuthApp.objects.filter(deployment=OAuthApp.Deployment.DATA_CENTER)
    steady = servers.exclude(pk__in=_halted(now)).values("pk")
    under_way = Q(lease_until__gte=now) | Q(queued_until__gte=now)
    rows = (
        Grant.objects.filter(
            status=Grant.Status.ACTIVE, refresh_at__lte=now, oauth_app_id__in=steady
        )
        .annotate(under_way=Case(When(under_way, then=Value(1)), default=Value(0)))
        .annotate(
            turn=Window(
                RowNumber(),
                partition_by="oauth_app_id",
                order_by=(F("under_way").desc(), *Grant.URGENCY),
            )
        )
        .filter(turn__lte=SERVER_BATCH)
        .order_by("oauth_app_id", "turn")
        .values_list("oauth_app_id", "pk", "under_way")
    )
    given = [_room(list(row)) for _, row in groupby(rows, key=itemgetter(0))]
    _mark_queued([pk for ids in given for pk in ids], now)
    return [Batch(ids, is_at_server=True) for ids in given if ids]


def _room(row: Sequence[tuple[int, int, int]]) -> list[int]:
    """What may be sent of a server's row: beside others, only what is missing to four.

    Else a server that is asked on demand all the time would never have a batch.
    """
    free = [pk for _, pk, is_under_way in row if not is_under_way]
    under_way = len(row) - len(free)
    return free[: max(0, AT_SERVER - under_way)] if under_way else free


# Probes
# ------------------------------------------------------------------------------
def _probe(app: OAuthApp, now: datetime) -> Batch:
    """One due grant; if none is, one that waits for its backoff, which is due then.

    One that was refused only if there is no other: the answer to that hardly tells
    anything about the app, but nobody else would ever ask it again.
    """
    grants = Grant.objects.filter(oauth_app=app)
    unrefused = grants.filter(refusals=0)
    ids = _first_due(unrefused, now) or _first_waiting(unrefused, now)
    ids = ids or _first_due(grants, now)
    # An older mark would make the worker take this message for a late one.
    _mark_queued(ids, now)
    is_server = app.deployment == OAuthApp.Deployment.DATA_CENTER
    return Batch(ids, is_at_server=is_server)


def _first_due(grants: GrantQuerySet, now: datetime) -> list[int]:
    ids = grants.due(now).order_by("refresh_at").values_list("pk", flat=True)
    return list(ids[:1])


def _first_waiting(grants: GrantQuerySet, now: datetime) -> list[int]:
    """Due from now on. Not what failed a moment ago."""
    gap = timedelta(seconds=UNCERTAIN_GAP_SECONDS)
    waiting = grants.free(now).filter(last_error_at__lte=now - gap)
    latest = waiting.exclude(last_error="").order_by(
        F("last_used_at").desc(nulls_last=True)
    )
    ids = list(latest.values_list("pk", flat=True)[:1])
    Grant.objects.filter(pk__in=ids).update(refresh_at=now)
    return ids
