"""What is due, and the lease.

A lease is one conditional UPDATE. It also writes the intent (attempt and
`uncertain_since`), in a durable transaction: no byte of an exchange leaves before
it is committed (design 6, I1 and I2).
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from confluence_link import token_endpoint, vault
from confluence_link.models import (
    Grant,
    OAuthApp,
    OAuthAppHealth,
    SealedTokenSet,
    database_now,
)
from confluence_link.refresh.schedule import (
    LEASE_SECONDS,
    REFUSED_GAP_SECONDS,
    UNCERTAIN_GAP_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from django.db.models import QuerySet

    from confluence_link.models.grant import GrantQuerySet
    from confluence_link.token_endpoint import TokenEndpoint

SWEEP_LIMIT: Final = 2_000
DATA_CENTER_AT_ONCE: Final = 4
# A message that nobody took by then may be sent again; the lease makes it harmless.
QUEUED_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Leased:
    """One grant under our lease, opened and ready to be exchanged."""

    grant: Grant
    lease_id: uuid.UUID
    endpoint: TokenEndpoint
    refresh_token: str = field(repr=False)

    @property
    def asked_at(self) -> datetime:
        """Before the exchange began, by the database's clock."""
        assert self.grant.lease_until is not None
        return self.grant.lease_until - timedelta(seconds=LEASE_SECONDS)


def take_due(now: datetime) -> list[int]:
    """Marks due grants as queued and gives their ids, the most urgent first.

    Those of apps with a share come last and are looked for app by app: what waits
    there, and how slow it is, must cost the others no turn.
    """
    recovering = _recovering_apps(now)
    rooms = _rooms(recovering, now)
    due = _due(now)
    with transaction.atomic():
        ids = list(due.exclude(oauth_app_id__in=rooms)[:SWEEP_LIMIT])
        for app_id, room in rooms.items():
            if room <= 0:
                continue
            taken = list(due.filter(oauth_app_id=app_id)[:room])
            if not taken and app_id in recovering:
                taken = _probe(app_id, now)
            ids += taken
        Grant.objects.filter(pk__in=ids).update(
            queued_until=now + timedelta(seconds=QUEUED_SECONDS)
        )
    return ids


def _due(now: datetime) -> QuerySet[Grant, int]:
    """The ids of what is due at apps that do not pause, locked as they are read."""
    return (
        Grant.objects.due(now)
        .exclude(oauth_app_id__in=_paused_apps(now))
        .select_for_update(
            skip_locked=connection.features.has_select_for_update_skip_locked
        )
        .values_list("pk", flat=True)
    )


def _rooms(recovering: Collection[int], now: datetime) -> dict[int, int]:
    """How many grants more each app with a share may have under way.

    A Data Center server gets four at once, a recovering app one probe.
    """
    servers = OAuthApp.objects.filter(deployment=OAuthApp.Deployment.DATA_CENTER)
    shares = dict.fromkeys(servers.values_list("pk", flat=True), DATA_CENTER_AT_ONCE)
    shares |= dict.fromkeys(recovering, 1)
    under_way = Counter(
        Grant.objects.filter(
            Q(lease_until__gte=now) | Q(queued_until__gte=now),
            # One that is paused meanwhile is still on its way.
            status__in=(Grant.Status.ACTIVE, Grant.Status.PAUSED),
            oauth_app_id__in=shares,
        ).values_list("oauth_app_id", flat=True)
    )
    return {app_id: share - under_way[app_id] for app_id, share in shares.items()}


def _recovering_apps(now: datetime) -> list[int]:
    """Apps whose breaker opened, whose pause is over, and that did not succeed yet."""
    return list(
        OAuthAppHealth.objects.filter(openings__gt=0)
        .exclude(paused_until__gt=now)
        .values_list("oauth_app_id", flat=True)
    )


def _paused_apps(now: datetime) -> list[int]:
    paused = OAuthAppHealth.objects.filter(paused_until__gt=now)
    return list(paused.values_list("oauth_app_id", flat=True))


def _probe(app_id: int, now: datetime) -> list[int]:
    """One grant that waits for its backoff, at an app of which none is due.

    Not one that was refused: the answer to that tells nothing about the app.
    """
    probe = (
        _free(now)
        .filter(
            oauth_app_id=app_id,
            refusals=0,
            last_error_at__lte=now - timedelta(seconds=UNCERTAIN_GAP_SECONDS),
        )
        .exclude(last_error="")
        .order_by(F("last_used_at").desc(nulls_last=True))
        .values_list("pk", flat=True)[:1]
    )
    ids = list(probe)
    Grant.objects.filter(pk__in=ids).update(refresh_at=now)
    return ids


def _free(now: datetime) -> GrantQuerySet:
    """Active, leased by nobody, at an app that does not pause.

    A message may have been sent before the pause began; nothing leaves in it.
    """
    return Grant.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now), status=Grant.Status.ACTIVE
    ).exclude(oauth_app_id__in=_paused_apps(now))


def lease_due(ids: Collection[int]) -> tuple[uuid.UUID, list[Grant]]:
    """Leases those of these grants that are free and due."""
    now = database_now()
    return _lease(_free(now).filter(pk__in=ids, refresh_at__lte=now), now)


def lease_on_demand(grant_id: int, generation: int) -> tuple[uuid.UUID, list[Grant]]:
    """Leases one grant before its time, if a try now is fair to the other side.

    It is not within the minimum interval of a rotation, within the gap after a
    failure, or while the app pauses.
    """
    now = database_now()
    rotated = timedelta(seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS)
    gap = timedelta(seconds=UNCERTAIN_GAP_SECONDS)
    refused = timedelta(seconds=REFUSED_GAP_SECONDS)
    fair = (
        _free(now)
        .filter(pk=grant_id, generation=generation)
        .filter(Q(last_rotated_at__lte=now - rotated) | Q(refresh_at__lte=now))
        .filter(Q(last_error_at=None) | Q(last_error_at__lte=now - gap))
        .filter(Q(last_refused_at=None) | Q(last_refused_at__lte=now - refused))
    )
    return _lease(fair, now)


def _lease(free: GrantQuerySet, now: datetime) -> tuple[uuid.UUID, list[Grant]]:
    """The conditions of `free` must be on columns of the row itself.

    PostgreSQL checks those again after it waited for another lease to commit; the
    subquery that a join would make is not checked again, and both would win.
    """
    lease_id = uuid.uuid4()
    # Durable: inside a surrounding transaction the intent would not be committed,
    # and Django refuses loudly.
    with transaction.atomic(durable=True):
        leased = free.update(
            lease_id=lease_id,
            lease_until=now + timedelta(seconds=LEASE_SECONDS),
            queued_until=None,
            attempt=F("attempt") + 1,
            uncertain_since=Coalesce("uncertain_since", now),
        )
    if not leased:
        return lease_id, []
    rows = Grant.objects.filter(lease_id=lease_id).select_related("oauth_app")
    return lease_id, list(rows)


def open_leased(grant: Grant, lease_id: uuid.UUID) -> Leased:
    """Opens what the exchange needs. Raises VaultError."""
    sealed = SealedTokenSet.objects.only("refresh").get(grant_id=grant.pk)
    return Leased(
        grant=grant,
        lease_id=lease_id,
        endpoint=token_endpoint.endpoint_of(
            grant.oauth_app,
            min_expires_in_seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS,
        ),
        refresh_token=vault.open_refresh(grant, sealed.refresh),
    )
