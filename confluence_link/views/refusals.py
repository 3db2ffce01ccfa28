"""A link that did not come about: recorded, then told. And limits that refuse one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction

from accounts import rate_limits
from accounts.models import User
from accounts.tenancy import last_used
from confluence_link import events
from confluence_link.errors import LinkRefused
from confluence_link.models import Event
from confluence_link.views.outcomes import refusal_page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Organization
    from confluence_link.models import OAuthApp

# More than a person can mean.
STARTS_PER_MINUTE: Final = 60
RECORDS_PER_HOUR: Final = 100


def refuse(
    request: HttpRequest,
    *,
    refused: LinkRefused,
    organization: Organization | None,
    oauth_app: OAuthApp | None = None,
    reconnect: str = "",
) -> HttpResponse:
    """The page of a refusal that a signed-in person is told, with its record.

    `organization` is the one that it was begun for, if that is known.
    """
    assert isinstance(request.user, User)
    # Nobody fills the table by coming back with nonsense.
    if rate_limits.allow(
        "link_refused",
        key=str(request.user.pk),
        limit=RECORDS_PER_HOUR,
        per_seconds=3600,
    ):
        _record(request.user, refused, organization, oauth_app)
    return refusal_page(
        request,
        refused=refused,
        organization=organization or last_used(request),
        oauth_app=oauth_app,
        reconnect=reconnect,
    )


def _record(
    actor: User,
    refused: LinkRefused,
    organization: Organization | None,
    oauth_app: OAuthApp | None,
) -> None:
    try:
        with transaction.atomic():
            events.record(
                Event.Kind.LINK_REFUSED,
                organization=organization,
                actor=actor,
                oauth_app=oauth_app,
                reason=refused.reason,
            )
    except IntegrityError:
        # The organization or the app ended meanwhile: nobody is left to be told.
        pass


def too_many_starts(user: User) -> bool:
    """Counts one more start of a link."""
    return not rate_limits.allow(
        "link_start", key=str(user.pk), limit=STARTS_PER_MINUTE, per_seconds=60
    )


def refuse_for_being_many(
    request: HttpRequest, organization: Organization, oauth_app: OAuthApp
) -> HttpResponse:
    """Not recorded: what is refused for being many shall not make rows."""
    response = refusal_page(
        request,
        refused=LinkRefused("too_many"),
        organization=organization,
        oauth_app=oauth_app,
        status=429,
    )
    response["Retry-After"] = "60"
    return response
