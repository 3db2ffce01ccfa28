"""record(): what happened, to what, by whom. Facts are small and never secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from accounts.isolation import across_organizations
from confluence_link.models import Event, database_now

if TYPE_CHECKING:
    from accounts.models import Organization, User
    from confluence_link.models import Grant, OAuthApp

# People hear of these by mail; `tasks.send_notices` sends them.
WITH_NOTICE = frozenset(
    {
        Event.Kind.LINKED,
        Event.Kind.RECONNECT_NEEDED,
        Event.Kind.ENDS_SOON,
        Event.Kind.ADOPTER_NAMED,
        Event.Kind.MEMBER_REMOVED,
        Event.Kind.CONFIGURATION_REFUSED,
        Event.Kind.MASS_REFUSAL,
        Event.Kind.REPORTING_REFUSED,
        Event.Kind.KEY_EXPOSED,
    }
)

# As many are forgotten by one statement.
_FORGOTTEN_AT_ONCE: Final = 5_000


@across_organizations()
def record(
    kind: Event.Kind,
    *,
    organization: Organization | None = None,
    actor: User | None = None,
    oauth_app: OAuthApp | None = None,
    grant: Grant | None = None,
    **facts: str | int | list[str],
) -> Event:
    """Appends one event, in the caller's transaction if there is one.

    What happens to an organization's own server is told to that organization.
    """
    if grant is None and organization is None and oauth_app is not None:
        organization = oauth_app.organization
    if grant is not None and oauth_app is None:
        oauth_app = grant.oauth_app
    return Event.objects.create(
        at=database_now(),
        kind=kind,
        organization=organization,
        actor=actor,
        oauth_app=oauth_app,
        grant=grant,
        facts=facts,
        notice=Event.Notice.PENDING if kind in WITH_NOTICE else "",
    )


def purge() -> None:
    """Forgets what earlier versions told of each refresh; everything else stays.

    In small transactions: there may be very many, and older workers may still write.
    """
    told = Event.objects.filter(kind=Event.Kind.REFRESHED).order_by()
    while ids := list(told.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE]):
        Event.objects.filter(pk__in=ids).delete()
