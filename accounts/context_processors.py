"""What the frame of every page needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.models import Membership, Organization, User
from accounts.rights import Right

if TYPE_CHECKING:
    from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """The notice over every page, the person's organizations, and the current one."""
    user = getattr(request, "user", None)
    return {
        "site_notice": settings.SITE_NOTICE,
        "site_notice_url": settings.SITE_NOTICE_URL,
        "organizations": (
            Organization.objects.of(user) if isinstance(user, User) else ()
        ),
        **_acting(getattr(request, "membership", None)),
    }


def _acting(membership: Membership | None) -> dict[str, Any]:
    """For whom the page acts: set by `tenancy.member_view`."""
    if membership is None:
        return {}
    return {
        "membership": membership,
        "organization": membership.organization,
        "rights": {right.value: membership.may(right) for right in Right},
    }
