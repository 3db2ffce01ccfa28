"""What the frame of every page needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.models import Organization, User

if TYPE_CHECKING:
    from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """The notice over every page, and the organizations of the person."""
    user = getattr(request, "user", None)
    return {
        "site_notice": settings.SITE_NOTICE,
        "site_notice_url": settings.SITE_NOTICE_URL,
        "organizations": (
            Organization.objects.of(user) if isinstance(user, User) else ()
        ),
    }
