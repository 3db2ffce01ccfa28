"""States: each that comes back is claimed once, by a unique insert."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction

from confluence_link.errors import LinkRefused
from confluence_link.models import (
    LinkInvitation,
    PendingLink,
    UsedState,
    database_now,
)

PENDING_LIFE: Final = timedelta(minutes=15)
# Longer than a state lives, so that "used" can be told from "expired".
USED_STATE_LIFE: Final = timedelta(days=1)


def digest(value: str) -> str:
    """SHA-256, hexadecimal: how states and session keys are stored."""
    return hashlib.sha256(value.encode()).hexdigest()


def claim_state(state: str) -> None:
    """Claims a callback by a unique insert. Raises LinkRefused("used")."""
    try:
        with transaction.atomic():
            UsedState.objects.create(state_hash=digest(state), used_at=database_now())
    except IntegrityError:
        raise LinkRefused("used") from None


def purge() -> None:
    """Erases pending links, used states and invitations that are too old to matter."""
    now = database_now()
    PendingLink.objects.filter(created_at__lte=now - PENDING_LIFE).delete()
    UsedState.objects.filter(used_at__lte=now - USED_STATE_LIFE).delete()
    LinkInvitation.objects.forget_old(now)
