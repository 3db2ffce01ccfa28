"""Reporting: a token that may, calls of 90 accounts, and what the answers ask for."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.db.models import TextField
from django.db.models.functions import Cast

from accounts.isolation import across_organizations
from confluence_link import atlassian, handoff
from confluence_link.errors import (
    ApiError,
    NotPermitted,
    RateLimited,
    ReauthorizationRequired,
    Rejected,
    ScopeMissing,
    TokenUnavailable,
    TransportError,
    Unavailable,
    VaultError,
)
from confluence_link.http import Deadline, GuardedSession
from confluence_link.models import Grant, OAuthApp
from confluence_link.personal_data import account, claim, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from confluence_link.atlassian import ReportAnswer

logger = logging.getLogger(__name__)

# Nothing new is begun after this; the next run goes on.
RUN_SECONDS: Final = 240
CALL_SECONDS: Final = 30
# One token serves for all accounts of an app; the others are for when it does not.
TRIED_GRANTS: Final = 5


@across_organizations()
def report_accounts() -> Counter[str]:
    """Reports what is due; how many were reported, closed and updated.

    Atlassian's trouble ends the run of an app, and the next run goes on where it
    stopped.
    """
    run = Deadline(RUN_SECONDS)
    counts: Counter[str] = Counter()
    for oauth_app in OAuthApp.objects.filter(deployment=OAuthApp.Deployment.CLOUD):
        if not cache.get(_pause_key(oauth_app)) and claim.is_due(oauth_app):
            counts += _report_app(oauth_app, run)
    return counts


def _report_app(oauth_app: OAuthApp, run: Deadline) -> Counter[str]:
    counts: Counter[str] = Counter()
    grants = _that_may_report(oauth_app)
    if not grants:
        refusal.refused(oauth_app, reason="no_scope")
        return counts
    while run.remaining() and (accounts := claim.claim(oauth_app)):
        answer = _answer(oauth_app, grants, accounts)
        if answer is None:
            break
        counts += _follow(oauth_app, accounts, answer, run)
    return counts


def _that_may_report(oauth_app: OAuthApp) -> Sequence[Grant]:
    """The healthiest grants whose consent has the scope."""
    words = Cast("scopes", TextField())
    active = Grant.objects.filter(oauth_app=oauth_app, status=Grant.Status.ACTIVE)
    return list(
        active.annotate(words=words)
        .filter(words__contains=f'"{atlassian.REPORT_SCOPE}"')
        .order_by("refusals", "consecutive_failures", "-last_rotated_at", "pk")
        .select_related("oauth_app")[:TRIED_GRANTS]
    )


# The call
# ------------------------------------------------------------------------------
def _answer(
    oauth_app: OAuthApp, grants: Sequence[Grant], accounts: Mapping[str, datetime]
) -> ReportAnswer | None:
    """What Atlassian answers; None if there is no more to be had in this run."""
    try:
        return _ask(oauth_app, grants, accounts)
    except (NotPermitted, ScopeMissing):
        refusal.refused(oauth_app, reason="refused")
    except Rejected as error:
        claim.hold(oauth_app, accounts)
        _stopped(oauth_app, accounts, error)
    except (RateLimited, Unavailable) as error:
        if error.retry_after_seconds:
            cache.set(_pause_key(oauth_app), "1", error.retry_after_seconds)
        _stopped(oauth_app, accounts, error)
    except (ApiError, TransportError, TokenUnavailable) as error:
        _stopped(oauth_app, accounts, error)
    return None


def _ask(
    oauth_app: OAuthApp, grants: Sequence[Grant], accounts: Mapping[str, datetime]
) -> ReportAnswer:
    """With the first grant that is alive and not refused.

    Raises ApiError or TransportError, and TokenUnavailable if no grant is alive.
    """
    refused: ApiError | None = None
    for grant in grants:
        try:
            access_token = handoff.fresh_token(grant=grant)
            return _send(oauth_app, accounts, access_token.value)
        except (ReauthorizationRequired, TokenUnavailable, VaultError):
            continue
        except (NotPermitted, ScopeMissing) as error:
            refused = error
    raise refused or TokenUnavailable(RUN_SECONDS)


def _send(
    oauth_app: OAuthApp, accounts: Mapping[str, datetime], access_token: str
) -> ReportAnswer:
    policy = atlassian.deployment_for(oauth_app).network_policy
    with GuardedSession(policy) as session:
        return atlassian.report_accounts(
            oauth_app=oauth_app,
            accounts=accounts,
            session=session,
            access_token=access_token,
            deadline=Deadline(CALL_SECONDS),
        )


def _stopped(
    oauth_app: OAuthApp, accounts: Mapping[str, datetime], error: Exception
) -> None:
    logger.warning(
        "report of accounts stopped, app=%d accounts=%d error=%s",
        oauth_app.pk,
        len(accounts),
        type(error).__name__,
    )


def _pause_key(oauth_app: OAuthApp) -> str:
    """Until Retry-After is over. A hint: what forgets it asks too early, once."""
    return f"personal_data.pause.{oauth_app.pk}"


# What follows
# ------------------------------------------------------------------------------
def _follow(
    oauth_app: OAuthApp,
    accounts: Mapping[str, datetime],
    answer: ReportAnswer,
    run: Deadline,
) -> Counter[str]:
    """Marked as reported is only what was dealt with; the rest is reported again."""
    refusal.accepted(oauth_app)
    _keep_cycle(oauth_app, answer)
    for account_id in answer.closed:
        account.erase(account_id=account_id)
    waiting = set(answer.updated)
    while waiting and run.remaining():
        account.read_again(oauth_app=oauth_app, account_id=waiting.pop())
    claim.mark_reported(oauth_app, [one for one in accounts if one not in waiting])
    return Counter(
        reported=len(accounts),
        closed=len(answer.closed),
        updated=len(answer.updated) - len(waiting),
    )


def _keep_cycle(oauth_app: OAuthApp, answer: ReportAnswer) -> None:
    seconds = answer.cycle_seconds
    if seconds is not None and seconds != oauth_app.reporting_cycle_seconds:
        oauth_app.reporting_cycle_seconds = seconds
        oauth_app.save(update_fields=["reporting_cycle_seconds"])
