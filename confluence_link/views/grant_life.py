"""How long a grant really lives, in words. An access token's hour is not part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from confluence_link import atlassian
from confluence_link.forecast import End, end_of
from confluence_link.models import Grant, OAuthApp

if TYPE_CHECKING:
    from datetime import date


_ENDED = (Grant.Status.RECONNECT_NEEDED, Grant.Status.UNLINKED)


@dataclass(frozen=True, slots=True)
class GrantLife:
    """`last_day` is None where a consent has none (Data Center), or outlived it.

    `end` is the nearest one that is ahead if nothing changes.
    """

    has_ended: bool
    is_paused: bool
    on_cloud: bool
    idle_days: int
    absolute_days: int | None
    consented_on: date
    last_day: date | None
    end: End | None
    ends_soon: bool


def grant_life(grant: Grant) -> GrantLife:
    deployment = atlassian.deployment_for(grant.oauth_app)
    consented_on = grant.consented_at.date()
    days = deployment.absolute_days
    # Days are shown: the database's clock need not be asked for each card.
    now = timezone.now()
    last_day = consented_on + timedelta(days=days) if days else None
    end = end_of(grant, now)
    return GrantLife(
        has_ended=grant.status in _ENDED,
        is_paused=grant.status == Grant.Status.PAUSED,
        on_cloud=grant.oauth_app.deployment == OAuthApp.Deployment.CLOUD,
        idle_days=deployment.idle_days,
        absolute_days=days,
        consented_on=consented_on,
        last_day=last_day if last_day and last_day >= now.date() else None,
        end=end,
        ends_soon=end is not None and end.is_soon(now),
    )
