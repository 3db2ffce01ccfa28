"""One account's personal data: erased for good, or read again with its own grant."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from django.db import transaction

from confluence_link import atlassian, events, handoff, linking, vault
from confluence_link.errors import ConfluenceLinkError
from confluence_link.http import Deadline, GuardedSession
from confluence_link.linking import vacant_sites
from confluence_link.models import Event, Grant, LinkedSite, PendingLink, database_now
from confluence_link.personal_data.claim import ERASED_PREFIX

if TYPE_CHECKING:
    from confluence_link.models import OAuthApp

logger = logging.getLogger(__name__)

READ_SECONDS: Final = 15


# Closed
# ------------------------------------------------------------------------------
def erase(*, account_id: str) -> None:
    """Erases what is stored of a closed Cloud account, with every app that knows it.

    Its grants end and keep their rows without the account, for what happened to them
    stays told. Shared sites leave their ids to whoever links them next.
    """
    with transaction.atomic():
        # Pending ones first, then grants: the order of `linking.confirm`.
        of_cloud = {"oauth_app__deployment": "cloud", "account_id": account_id}
        PendingLink.objects.filter(**of_cloud).delete()
        grants = Grant.objects.select_for_update(of=("self",)).filter(**of_cloud)
        for grant in grants.select_related("oauth_app").order_by("pk"):
            _erase_grant(grant)


def _erase_grant(grant: Grant) -> None:
    for linked_site in LinkedSite.objects.filter(grant=grant).select_related(
        "organization", "grant__oauth_app"
    ):
        linking.unlink(linked_site=linked_site, actor=None)
        if linked_site.shared:
            vacant_sites.vacate(
                linked_site=linked_site, former=None, adopter=None, actor=None
            )
    vault.destroy(grant)
    linking.account_unlinked.send(sender=Grant, grant=grant)
    Grant.objects.filter(pk=grant.pk).end(
        account_id=f"{ERASED_PREFIX}{grant.public_id}",
        account_read_at=None,
        account_reported_at=None,
    )
    events.record(Event.Kind.ACCOUNT_CLOSED, grant=grant)


# Updated
# ------------------------------------------------------------------------------
def read_again(*, oauth_app: OAuthApp, account_id: str) -> None:
    """Stores the name that the account has now, or none if it cannot be asked.

    Where a grant is left that may be asked later, the old date stays: then Atlassian
    says so again in the next cycle, and the name comes back.
    """
    now = database_now()
    rows = Grant.objects.filter(oauth_app=oauth_app, account_id=account_id)
    live = rows.exclude(status=Grant.Status.UNLINKED)
    grant = live.select_related("oauth_app").first()
    name = _name_of(grant) if grant else None
    live.update(account_name=name or "")
    if grant is None or name is not None:
        rows.update(account_read_at=now)


def _name_of(grant: Grant) -> str | None:
    try:
        access_token = handoff.fresh_token(grant=grant)
        deployment = atlassian.deployment_for(grant.oauth_app)
        with GuardedSession(deployment.network_policy) as session:
            account = deployment.identity(
                session, access_token.value, Deadline(READ_SECONDS)
            )
    except ConfluenceLinkError as error:
        logger.warning("account not read again, error=%s", type(error).__name__)
        return None
    return account.name if account.account_id == grant.account_id else None
