"""Letter: one mail; whom it may go to, and how names and addresses stand in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from accounts.mails import one_line
from accounts.models import Membership, User
from accounts.rights import ROLES_WITH, Right

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from accounts.models import Organization
    from confluence_link.models import Event, LinkedSite

_SITES_IN_A_MAIL = 10


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person. Everything in `words` is one line."""

    to: User
    template: str
    words: dict[str, Any] = field(default_factory=dict)


def members(organization: Organization, right: Right = Right.LINK) -> QuerySet[User]:
    """Active people of an active organization who have the right now."""
    allowed = Membership.objects.filter(
        organization=organization,
        organization__is_active=True,
        role__in=ROLES_WITH[right],
    )
    active = User.objects.filter(is_active=True, pk__in=allowed.values("user"))
    return active.order_by("pk")


def operators() -> QuerySet[User]:
    return User.objects.filter(is_superuser=True, is_active=True).order_by("pk")


def names(sites: Iterable[LinkedSite]) -> list[str]:
    found = [one_line(str(site)) for site in sites]
    more = len(found) - _SITES_IN_A_MAIL
    return found if more < 1 else [*found[:_SITES_IN_A_MAIL], f"and {more} more"]


def fact(event: Event, name: str) -> str:
    return one_line(str(event.facts.get(name, "")))


def url_of(name: str, *args: object) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name, args=args)}"
