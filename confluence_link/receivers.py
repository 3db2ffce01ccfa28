"""What must follow from what happens elsewhere, whichever way it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from accounts.happenings import happened
from confluence_link import events
from confluence_link.models import Event

if TYPE_CHECKING:
    from accounts.models import Organization, User


@receiver(happened)
def record(
    kind: str,
    organization: Organization | None,
    actor: User | None,
    facts: dict[str, Any],
    **kwargs: object,
) -> None:
    """Keeps what happened to people in the record of everything."""
    events.record(Event.Kind(kind), organization=organization, actor=actor, **facts)
