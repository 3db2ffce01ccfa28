"""Which accounts are due for a report, and the claim to them.

A claim is a conditional UPDATE of the mark `account_reported_at` itself: it says "due
again in 15 minutes". Whoever crashes between claim and answer loses no account, and
two workers at once do not report the same one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Max, Min, Q
from django.db.models.functions import Coalesce

from confluence_link.atlassian import MOST_REPORTED_ACCOUNTS
from confluence_link.models import Grant, database_now

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.models import QuerySet

    from confluence_link.models import OAuthApp

CLAIM: Final = timedelta(minutes=15)
# What was refused as malformed does not get better within the hour.
HOLD: Final = timedelta(days=1)
# Stands in for the id of an erased account. No account id has an underscore.
ERASED_PREFIX: Final = "closed_"
# The product APIs' word for a user whose record is broken.
_NOBODY: Final = "unknown"


def stored_accounts() -> QuerySet[Grant]:
    """The rows with an account id to report, unlinked ones included."""
    return Grant.objects.filter(oauth_app__deployment="cloud").exclude(
        Q(account_id__startswith=ERASED_PREFIX) | Q(account_id__in=("", _NOBODY))
    )


def is_due(oauth_app: OAuthApp) -> bool:
    return _due(oauth_app, database_now()).exists()


def claim(oauth_app: OAuthApp) -> dict[str, datetime]:
    """Up to 90 due accounts that now are ours for 15 minutes, the longest due first.

    Each with the oldest date at which something stored of it was read.
    """
    now = database_now()
    due = list(_due(oauth_app, now)[:MOST_REPORTED_ACCOUNTS])
    rows = _rows_of(oauth_app, [row["account_id"] for row in due])
    return {
        row["account_id"]: row["read_at"]
        for row in due
        if _claim_one(oauth_app, rows[row["account_id"]], now)
    }


def _due(oauth_app: OAuthApp, now: datetime) -> QuerySet[Any, Any]:
    """An account is due when none of its rows was reported within the cycle."""
    return (
        stored_accounts()
        .filter(oauth_app=oauth_app)
        .values("account_id")
        .annotate(
            read_at=Min(Coalesce("account_read_at", "consented_at")),
            reported_at=Max("account_reported_at"),
        )
        .filter(Q(reported_at=None) | Q(reported_at__lte=now - _cycle(oauth_app)))
        .order_by(Coalesce("reported_at", "read_at"), "account_id")
    )


def _rows_of(oauth_app: OAuthApp, account_ids: Collection[str]) -> dict[str, list[int]]:
    """The rows of each account, in two steps, for each of which there is an index.

    Not all accounts of a million grants are looked through for one.
    """
    mine = Grant.objects.filter(oauth_app=oauth_app, account_id__in=account_ids)
    unlinked = Grant.Status.UNLINKED
    rows: dict[str, list[int]] = {account_id: [] for account_id in account_ids}
    for part in (mine.exclude(status=unlinked), mine.filter(status=unlinked)):
        for account_id, pk in part.values_list("account_id", "pk"):
            rows[account_id].append(pk)
    return rows


def _claim_one(oauth_app: OAuthApp, ids: list[int], now: datetime) -> bool:
    """One account at a time: rows that are locked together in any order may deadlock
    with a lease."""
    cycle = _cycle(oauth_app)
    old = Q(account_reported_at=None) | Q(account_reported_at__lte=now - cycle)
    rows = Grant.objects.filter(old, pk__in=ids)
    return rows.update(account_reported_at=now - cycle + CLAIM) > 0


def mark_reported(oauth_app: OAuthApp, account_ids: Iterable[str]) -> None:
    _mark(oauth_app, account_ids, database_now())


def hold(oauth_app: OAuthApp, account_ids: Iterable[str]) -> None:
    """They are due again in a day."""
    _mark(oauth_app, account_ids, database_now() - _cycle(oauth_app) + HOLD)


def _mark(oauth_app: OAuthApp, account_ids: Iterable[str], at: datetime) -> None:
    for ids in _rows_of(oauth_app, list(account_ids)).values():
        Grant.objects.filter(pk__in=ids).update(account_reported_at=at)


def _cycle(oauth_app: OAuthApp) -> timedelta:
    return timedelta(seconds=oauth_app.reporting_cycle_seconds)
