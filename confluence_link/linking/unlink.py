"""What ends with a linked site, and what is erased with the last of a grant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.dispatch import Signal

from accounts.isolation import across_organizations
from confluence_link import atlassian, events, handoff, sites, vault
from confluence_link.http import Deadline, GuardedSession
from confluence_link.linking import pausing
from confluence_link.models import Event, Grant, LinkedSite

if TYPE_CHECKING:
    from accounts.models import Organization, User

LISTING_SECONDS: Final = 15
# Sent inside the transaction that erases the tokens, with `grant`.
account_unlinked = Signal()


@across_organizations()
def is_last_of_grant(linked_site: LinkedSite) -> bool:
    """Whether unlinking it erases the grant's tokens."""
    others = LinkedSite.objects.filter(grant=linked_site.grant_id)
    return not others.exclude(pk=linked_site.pk).exists()


@across_organizations()
def unlink(*, linked_site: LinkedSite, actor: User | None) -> None:
    """Removes a linked site; with the last one of a grant, erases its tokens at once.

    A refresh that is under way is fenced by the epoch and its result dropped.
    """
    with transaction.atomic():
        grant = (
            Grant.objects.select_for_update(of=("self",))
            .select_related("oauth_app")
            .filter(pk=linked_site.grant_id)
            .first()
        )
        deleted, _ = LinkedSite.objects.filter(pk=linked_site.pk).delete()
        if grant is None or not deleted:
            return
        events.record(
            Event.Kind.UNLINKED,
            grant=grant,
            organization=linked_site.organization,
            actor=actor,
            site=linked_site.name,
            linked_site=linked_site.public_id,
        )
        if not LinkedSite.objects.filter(grant=grant).exists():
            _end_grant(grant, actor, linked_site.organization)
            return
        # Perhaps only deactivated organizations use it now.
        pausing.follow(Grant.objects.filter(pk=grant.pk))


def _end_grant(grant: Grant, actor: User | None, organization: Organization) -> None:
    vault.destroy(grant)
    Grant.objects.filter(pk=grant.pk).end()
    account_unlinked.send(sender=Grant, grant=grant)
    # Told to the last organization that used it: nobody else has the grant now.
    events.record(
        Event.Kind.GRANT_UNLINKED, grant=grant, organization=organization, actor=actor
    )


@across_organizations()
def list_sites_again(*, grant: Grant) -> None:
    """Asks what the token reaches now, and follows it.

    Raises what `handoff.fresh_token` raises, ApiError or TransportError.
    """
    access_token = handoff.fresh_token(grant=grant)
    deployment = atlassian.deployment_for(grant.oauth_app)
    with GuardedSession(deployment.network_policy) as session:
        reachable = deployment.reachable_sites(
            session, access_token.value, Deadline(LISTING_SECONDS)
        )
    sites.keep_listed(grant=grant, sites=reachable)
