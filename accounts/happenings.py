"""What happens to people and organizations, told to whoever keeps the record.

The record itself belongs to the product, which this package does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.dispatch import Signal

if TYPE_CHECKING:
    from accounts.models import Organization, User

# Sent inside the transaction, with `kind` (such as "member.joined"), `organization`,
# `actor` (None: nobody signed in) and `facts` (small, never secret).
happened: Final = Signal()


def tell(
    kind: str, *, organization: Organization, actor: User | None, **facts: Any
) -> None:
    happened.send(
        sender=None, kind=kind, organization=organization, actor=actor, facts=facts
    )
