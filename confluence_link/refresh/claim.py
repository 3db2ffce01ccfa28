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
    from collections.abc import Collection, Sequence
    from datetime import datetime

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
    """Marks due grants as queued and gives their ids, the most urgent first."""
    with transaction.atomic():
        rows = list(
            Grant.objects.due(now)
            .exclude(oauth_app__health__paused_until__gt=now)
            .select_for_update(
                of=("self",),
                skip_locked=connection.features.has_select_for_update_skip_locked,
            )
            .values_list("pk", "oauth_app_id")[:SWEEP_LIMIT]
        )
        ids = _within_caps(rows, now) + _probes(now, {app for _, app in rows})
        Grant.objects.filter(pk__in=ids).update(
            queued_until=now + timedelta(seconds=QUEUED_SECONDS)
        )
    return ids


def _within_caps(rows: Sequence[tuple[int, int]], now: datetime) -> list[int]:
    """Data Center servers get four at once, a recovering app gets one probe."""
    in_flight = Counter(
        Grant.objects.filter(
            Q(lease_until__gte=now) | Q(queued_until__gte=now),
            status=Grant.Status.ACTIVE,
        ).values_list("oauth_app_id", flat=True)
    )
    caps = dict.fromkeys(
        OAuthApp.objects.filter(deployment=OAuthApp.Deployment.DATA_CENTER).values_list(
            "pk", flat=True
        ),
        DATA_CENTER_AT_ONCE,
    ) | dict.fromkeys(_recovering_apps(now), 1)
    taken = []
    for grant_id, app_id in rows:
        if in_flight[app_id] < caps.get(app_id, SWEEP_LIMIT):
            in_flight[app_id] += 1
            taken.append(grant_id)
    return taken


def _recovering_apps(now: datetime) -> list[int]:
    """Apps whose breaker opened, whose pause is over, and that did not succeed yet."""
    return list(
        OAuthAppHealth.objects.filter(openings__gt=0)
        .exclude(paused_until__gt=now)
        .values_list("oauth_app_id", flat=True)
    )


def _probes(now: datetime, busy_apps: Collection[int]) -> list[int]:
    """One waiting grant of each recovering app of which none is due yet."""
    probes = []
    for app_id in _recovering_apps(now):
        if app_id in busy_apps:
            continue
        grant_id = (
            _free(now)
            .filter(oauth_app_id=app_id, consecutive_failures__gt=0)
            .order_by(F("last_used_at").desc(nulls_last=True))
            .values_list("pk", flat=True)
            .first()
        )
        if grant_id is not None:
            Grant.objects.filter(pk=grant_id).update(refresh_at=now)
            probes.append(grant_id)
    return probes


def _free(now: datetime) -> GrantQuerySet:
    return Grant.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now), status=Grant.Status.ACTIVE
    )


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
    if OAuthAppHealth.objects.filter(
        oauth_app__grants=grant_id, paused_until__gt=now
    ).exists():
        return uuid.uuid4(), []
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
