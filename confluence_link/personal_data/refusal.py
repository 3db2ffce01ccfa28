"""Nobody may report: no consent has the scope, or Atlassian refuses the tokens."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from confluence_link import events
from confluence_link.models import Event, OAuthApp, database_now
from confluence_link.personal_data.claim import stored_accounts

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

TOLD_EVERY: Final = timedelta(days=7)


def unreported_apps() -> QuerySet[OAuthApp]:
    """Apps with stored accounts that could not be reported when it was tried last."""
    stored = stored_accounts().filter(oauth_app=OuterRef("pk"))
    return OAuthApp.objects.filter(Exists(stored), reporting_refused_at__isnull=False)


def refused(oauth_app: OAuthApp, *, reason: str) -> None:
    """Notes since when, and tells operators once a week.

    `reason`: no_scope, refused.
    """
    logger.warning("accounts not reported, app=%d reason=%s", oauth_app.pk, reason)
    with transaction.atomic():
        # One worker after the other, so that one of them finds the other's event.
        app = OAuthApp.objects.select_for_update(no_key=True).get(pk=oauth_app.pk)
        now = database_now()
        told = Event.objects.filter(
            kind=Event.Kind.REPORTING_REFUSED, oauth_app=app, at__gt=now - TOLD_EVERY
        )
        if not told.exists():
            events.record(Event.Kind.REPORTING_REFUSED, oauth_app=app, reason=reason)
        if app.reporting_refused_at is None:
            OAuthApp.objects.filter(pk=app.pk).update(reporting_refused_at=now)


def accepted(oauth_app: OAuthApp) -> None:
    """A report was taken."""
    told = OAuthApp.objects.filter(pk=oauth_app.pk, reporting_refused_at__isnull=False)
    told.update(reporting_refused_at=None)
