"""The lease, and what is opened under it.

A lease is one conditional UPDATE. It also writes the intent (attempt and
`uncertain_since`), in a durable transaction: no byte of an exchange leaves before
it is committed (design 6, I1 and I2).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Case, Count, F, Q, When
from django.db.models.functions import Coalesce, Least

from confluence_link import token_endpoint, vault
from confluence_link.models import (
    Grant,
    OAuthApp,
    OAuthAppHealth,
    database_now,
)
from confluence_link.refresh.contention import patiently
from confluence_link.refresh.schedule import (
    LEASE_SECONDS,
    REFUSED_GAP_SECONDS,
    UNCERTAIN_GAP_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from confluence_link.models.grant import GrantQuerySet
    from confluence_link.token_endpoint import TokenEndpoint

# What an exchange and the store of its answer need to know of a grant, in the order
# of the model.
_COLUMNS: Final = (
    "id",
    "public_id",
    "oauth_app_id",
    "scopes",
    "status",
    "death_reason",
    "epoch",
    "generation",
    "consecutive_failures",
    "last_error",
    "consented_at",
    "last_used_at",
)
_APP: Final = _COLUMNS.index("oauth_app_id")


class Held(NamedTuple):
    """One grant as it was when it was leased.

    A plain row: making a model object costs more than leasing it. `sealed_refresh` is
    the envelope; the fields above it are columns.
    """

    pk: int
    public_id: str
    oauth_app_id: int
    scopes: list[str]
    status: str
    death_reason: str
    epoch: int
    generation: int
    consecutive_failures: int
    last_error: str
    consented_at: datetime
    last_used_at: datetime | None
    sealed_refresh: bytes
    oauth_app: OAuthApp
    lease_until: datetime

    def __repr__(self) -> str:
        return f"<Held: {self.pk}>"

    def __reduce__(self) -> str:
        raise TypeError("a sealed token cannot be pickled")

    @property
    def grant(self) -> Grant:
        """The model object of this row, for what is not told by columns."""
        columns = self[: len(_COLUMNS)]
        grant: Grant = Grant.from_db(DEFAULT_DB_ALIAS, _COLUMNS, columns)
        grant.oauth_app, grant.lease_until = self.oauth_app, self.lease_until
        return grant


@dataclass(frozen=True, slots=True)
class Leased:
    """One grant under our lease, opened and ready to be exchanged."""

    held: Held
    lease_id: uuid.UUID
    endpoint: TokenEndpoint
    refresh_token: str = field(repr=False)

    @property
    def grant(self) -> Grant:
        return self.held.grant

    @property
    def asked_at(self) -> datetime:
        """Before the exchange began, by the database's clock."""
        return self.held.lease_until - timedelta(seconds=LEASE_SECONDS)


def count_due(ids: Collection[int]) -> dict[int, int]:
    """How many of these grants are free and due, by Cloud's apps."""
    now = database_now()
    at_cloud = _takable(now).filter(
        pk__among=frozenset(ids),
        refresh_at__lte=now,
        oauth_app__deployment=OAuthApp.Deployment.CLOUD,
    )
    return dict(at_cloud.values_list("oauth_app_id").annotate(Count("pk")))


def lease_due(ids: Collection[int]) -> tuple[uuid.UUID, list[Held]]:
    """Leases those of these grants that are free and due."""
    now = database_now()
    return _lease(ids, _takable(now).filter(refresh_at__lte=now), now)


def lease_on_demand(grant_id: int, generation: int) -> tuple[uuid.UUID, list[Held]]:
    """Leases one grant before its time, if a try now is fair to the other side.

    It is not within the minimum interval of a rotation, within the gap after a
    failure, or while the app pauses. If the process ends before the answer, the grant
    is due when its lease is over: its exchange is in doubt, planned or not.
    """
    now = database_now()
    rotated = timedelta(seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS)
    gap = timedelta(seconds=UNCERTAIN_GAP_SECONDS)
    refused = timedelta(seconds=REFUSED_GAP_SECONDS)
    fair = (
        _takable(now)
        .filter(generation=generation)
        .filter(Q(last_rotated_at__lte=now - rotated) | Q(refresh_at__lte=now))
        .filter(Q(last_error_at=None) | Q(last_error_at__lte=now - gap))
        .filter(Q(last_refused_at=None) | Q(last_refused_at__lte=now - refused))
    )
    return _lease([grant_id], fair, now, refresh_at=Least("refresh_at", now))


def _takable(now: datetime) -> GrantQuerySet:
    """Free, at an app that does not pause.

    A message may have been sent before the pause began; nothing leaves in it.
    """
    return Grant.objects.free(now).exclude(oauth_app_id__in=_paused_apps(now))


def _paused_apps(now: datetime) -> QuerySet[OAuthAppHealth, int]:
    paused = OAuthAppHealth.objects.filter(paused_until__gt=now)
    return paused.values_list("oauth_app_id", flat=True)


def _lease(
    ids: Collection[int], takable: GrantQuerySet, now: datetime, **more: object
) -> tuple[uuid.UUID, list[Held]]:
    """The conditions of `takable` must be on columns of the row itself.

    PostgreSQL checks those again after it waited for another lease to commit; the
    subquery that a join would make is not checked again, and both would win.
    """
    lease_id = uuid.uuid4()
    until = now + timedelta(seconds=LEASE_SECONDS)

    def take() -> int:
        # Durable: inside a surrounding transaction the intent would not be
        # committed, and Django refuses loudly.
        with transaction.atomic(durable=True):
            return takable.filter(pk__among=frozenset(ids)).update(
                lease_id=lease_id,
                lease_until=until,
                queued_until=None,
                attempt=F("attempt") + 1,
                uncertain_since=Coalesce("uncertain_since", now),
                **more,
            )

    return lease_id, _leased(ids, lease_id, until) if patiently(take) else []


def _leased(ids: Collection[int], lease_id: uuid.UUID, until: datetime) -> list[Held]:
    """In the order of the ids. Grants of an app share its object."""
    rows = list(
        Grant.objects.filter(
            pk__among=frozenset(ids),
            lease_id=lease_id,
            sealed_token_set__isnull=False,
        ).values_list(*_COLUMNS, "sealed_token_set__refresh")
    )
    place = {pk: place for place, pk in enumerate(ids)}
    rows.sort(key=lambda row: place[row[0]])
    apps = OAuthApp.objects.in_bulk({row[_APP] for row in rows})
    return [Held._make((*row, apps[row[_APP]], until)) for row in rows]


def release(lease_id: uuid.UUID, grants: Iterable[Held]) -> None:
    """Gives leases back under which nothing was sent: the intents are undone."""
    began = F("lease_until") - timedelta(seconds=LEASE_SECONDS)
    Grant.objects.filter(
        pk__in=[grant.pk for grant in grants], lease_id=lease_id
    ).update(
        lease_id=None,
        lease_until=None,
        attempt=F("attempt") - 1,
        uncertain_since=Case(
            When(uncertain_since__lt=began, then=F("uncertain_since")), default=None
        ),
    )


def open_leased(
    held: Held, lease_id: uuid.UUID, endpoint: TokenEndpoint | None = None
) -> Leased:
    """Opens what the exchange needs. Raises VaultError."""
    return Leased(
        held=held,
        lease_id=lease_id,
        endpoint=endpoint or endpoint_of(held.oauth_app),
        refresh_token=vault.open_refresh(held, held.sealed_refresh),
    )


def endpoint_of(oauth_app: OAuthApp) -> TokenEndpoint:
    """Raises VaultError if the client secret does not open."""
    return token_endpoint.endpoint_of(
        oauth_app,
        min_expires_in_seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS,
    )
