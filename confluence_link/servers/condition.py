"""How far a server is, in one word."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef

from confluence_link.models import OAuthApp, ServerSetup, database_now

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import Organization


class Condition(StrEnum):
    # Its client id is missing.
    DRAFT = "draft"
    # … and its administrator was asked for it.
    WAITING = "waiting"
    READY = "ready"
    # The last check found something, or the server refuses our refreshes.
    TROUBLE = "trouble"
    # By the operator.
    OFF = "off"


def of_organization(organization: Organization) -> QuerySet[OAuthApp]:
    """The organization's own servers, with what their condition is told from."""
    open_setups = ServerSetup.objects.open(database_now())
    waiting = open_setups.filter(oauth_app=OuterRef("pk"))
    return (
        OAuthApp.objects.owned_by(organization)
        .select_related("health", "organization")
        .annotate(is_waiting=Exists(waiting))
        .order_by("name", "pk")
    )


def condition_of(oauth_app: OAuthApp) -> Condition:
    """Of a row of `of_organization`."""
    if not oauth_app.enabled:
        return Condition.OFF
    if not oauth_app.client_id:
        waits = getattr(oauth_app, "is_waiting", False)
        return Condition.WAITING if waits else Condition.DRAFT
    if oauth_app.has_trouble or any(step["cure"] for step in oauth_app.probe_steps):
        return Condition.TROUBLE
    return Condition.READY
