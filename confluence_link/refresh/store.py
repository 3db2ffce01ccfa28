"""The fenced write of an answer.

A token set is stored only as the successor of the generation that was exchanged, and
never under somebody else's live lease (design 6, I1 and I4).
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from confluence_link import atlassian, events, vault
from confluence_link.errors import VaultError
from confluence_link.models import Event, Grant, SealedTokenSet, database_now
from confluence_link.refresh import breaker, schedule, spool

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from confluence_link.tokens import TokenSet

_CHANCE: Final = random.SystemRandom()


def store(
    *, grant: Grant, lease_id: uuid.UUID | None, refresh_token: str, token_set: TokenSet
) -> bool:
    """Commits the successor of `grant`'s generation; False if it is fenced off.

    `refresh_token` is the one that was exchanged: it stays if the answer brought
    none. Fenced off: unlinked, linked again, already succeeded, or leased by another.
    """
    now = database_now()
    successor = _successor(grant, token_set, now)
    current = Q(pk=grant.pk, epoch=grant.epoch, generation=grant.generation)
    ours = Q(lease_id=lease_id) if lease_id else Q(pk__in=())
    free = Q(lease_id=None) | Q(lease_until__lt=now)
    with transaction.atomic(durable=True):
        fenced_in = Grant.objects.filter(current, ours | free).exclude(
            status=Grant.Status.UNLINKED
        )
        if not fenced_in.update(**_columns(grant, successor, token_set, now)):
            return False
        _seal(grant, successor, refresh_token, token_set, now)
        if grant.consecutive_failures or grant.status != Grant.Status.ACTIVE:
            events.record(Event.Kind.RECOVERED, grant=grant)
        events.record(
            Event.Kind.REFRESHED, grant=grant, generation=successor.generation
        )
    breaker.app_succeeded(grant.oauth_app, now=now)
    return True


def _successor(grant: Grant, token_set: TokenSet, now: datetime) -> Grant:
    """The grant as it will be, for the binding of what is sealed."""
    return Grant(
        pk=grant.pk,
        public_id=grant.public_id,
        oauth_app_id=grant.oauth_app_id,
        epoch=grant.epoch,
        generation=grant.generation + 1,
        expires_at=now + timedelta(seconds=token_set.expires_in_seconds),
        refresh_at=schedule.refresh_at(
            now=now,
            expires_in_seconds=token_set.expires_in_seconds,
            min_seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS,
            chance=_CHANCE,
        ),
    )


def _columns(
    grant: Grant, successor: Grant, token_set: TokenSet, now: datetime
) -> dict[str, object]:
    # Without a usable access token the new refresh token is tried at once.
    usable = bool(token_set.access_token)
    return {
        "generation": successor.generation,
        "expires_at": successor.expires_at if usable else now,
        "refresh_at": successor.refresh_at if usable else now,
        "last_rotated_at": now,
        "scopes": list(token_set.scopes) if token_set.scopes else grant.scopes,
        "status": Grant.Status.ACTIVE,
        "death_reason": "",
        "lease_id": None,
        "lease_until": None,
        "queued_until": None,
        "attempt": 0,
        "uncertain_since": None,
        "consecutive_failures": 0 if usable else F("consecutive_failures") + 1,
        "refusals": 0,
        "first_refused_at": None,
        "last_refused_at": None,
        "last_error": "" if usable else "malformed",
    }


def _seal(
    grant: Grant,
    successor: Grant,
    refresh_token: str,
    token_set: TokenSet,
    now: datetime,
) -> None:
    leeway = atlassian.deployment_for(grant.oauth_app).leeway_seconds
    row = SealedTokenSet.objects.only("refresh").get(grant_id=grant.pk)
    SealedTokenSet.objects.filter(pk=row.pk).update(
        access=vault.seal_access(successor, token_set.access_token),
        refresh=vault.seal_refresh(successor, token_set.refresh_token or refresh_token),
        previous_refresh=row.refresh,
        previous_until=now + timedelta(seconds=leeway),
        key_id=vault.sealing_key_id(),
    )


def import_spool() -> None:
    """Stores what an earlier process could not; a live lease makes it wait."""
    for grant, token_set in spool.kept():
        sealed = SealedTokenSet.objects.only("refresh").get(grant_id=grant.pk)
        try:
            refresh_token = vault.open_refresh(grant, sealed.refresh)
        except VaultError:
            continue
        if store(
            grant=grant,
            lease_id=None,
            refresh_token=refresh_token,
            token_set=token_set,
        ):
            spool.forget(grant)
