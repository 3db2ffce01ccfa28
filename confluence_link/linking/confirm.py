"""Confirming: the grant and its linked sites are written together."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.dispatch import Signal

from accounts.isolation import across_organizations
from confluence_link import atlassian, events, sites, vault
from confluence_link.errors import LinkRefused, VaultError
from confluence_link.linking import vacant_sites
from confluence_link.linking.pending import binding_of, check_member, check_owner
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    OAuthApp,
    PendingLink,
)
from confluence_link.refresh import schedule

if TYPE_CHECKING:
    from collections.abc import Collection

    from accounts.models import User
    from confluence_link.atlassian import Site

_CHANCE: Final = random.SystemRandom()
_MAX_SCOPES_TOLD: Final = 20
# Sent inside the transaction that writes the grant, with `grant`.
account_linked = Signal()


@across_organizations()
def confirm(
    *,
    pending: PendingLink,
    site_ids: Collection[str],
    actor: User,
    shared: bool = True,
) -> list[LinkedSite]:
    """Makes the grant active and links the picked sites to the organization.

    `shared` says who uses those that are new; what was linked keeps what was chosen,
    unless its linker takes it over for all.
    Linking again keeps the grant's id and settings and counts a new epoch. Raises
    LinkRefused: no_sites_picked, pending_expired (double submit), not_member,
    app_disabled, other_user, configuration (the sealed tokens do not open).
    """
    reachable = sites.known_sites(pending.sites)
    picked = [site for site in reachable if site.site_id in site_ids]
    if not picked or len(picked) < len(set(site_ids)):
        raise LinkRefused("no_sites_picked")
    try:
        with transaction.atomic():
            _claim_pending(pending)
            grant = _write_grant(pending)
            sites.keep_listed(grant=grant, sites=reachable)
            linked = [
                _link_site(pending, grant, site, actor, shared) for site in picked
            ]
            account_linked.send(sender=Grant, grant=grant)
    except IntegrityError:
        # Somebody else linked this account between the check and the insert.
        raise LinkRefused("other_user") from None
    except VaultError:
        raise LinkRefused("configuration") from None
    return linked


def _claim_pending(pending: PendingLink) -> None:
    """Deleting the row is what a second submit cannot do again.

    The membership comes first, then the app: whoever ends either locks in the same
    order.
    """
    check_member(pending.user, pending.organization)
    app = OAuthApp.objects.select_for_update(no_key=True)
    app_is_there = app.filter(pk=pending.oauth_app_id).first() is not None
    deleted, _ = PendingLink.objects.filter(pk=pending.pk).delete()
    if not app_is_there or not deleted:
        raise LinkRefused("pending_expired")
    pending.oauth_app.refresh_from_db(fields=["enabled", "scopes"])
    if not pending.oauth_app.enabled:
        raise LinkRefused("app_disabled")
    check_owner(pending.oauth_app, pending.account_id, pending.user)


def _write_grant(pending: PendingLink) -> Grant:
    access_token, refresh_token = json.loads(
        vault.open_sealed(pending.sealed_token_set, binding=binding_of(pending))
    )
    grant = (
        Grant.objects.select_for_update(of=("self",))
        .filter(
            oauth_app=pending.oauth_app,
            account_id=pending.account_id,
            user=pending.user,
        )
        .first()
    )
    is_new = grant is None
    if grant is None:
        grant = Grant(
            oauth_app=pending.oauth_app,
            account_id=pending.account_id,
            user=pending.user,
        )
    else:
        grant.epoch, grant.generation = grant.epoch + 1, grant.generation + 1
    _begin_epoch(grant, pending)
    grant.save()
    vault.store_token_set(grant, access_token=access_token, refresh_token=refresh_token)
    if not is_new:
        events.record(
            Event.Kind.RELINKED,
            grant=grant,
            # The others that use the grant would learn from it of this one.
            organization=pending.organization,
            actor=pending.user,
            epoch=grant.epoch,
            more_scopes=_more_scopes(pending),
        )
    return grant


def _more_scopes(pending: PendingLink) -> list[str]:
    """Granted beyond what is asked for: told here, and handed to nobody."""
    deployment = atlassian.deployment_for(pending.oauth_app)
    more = deployment.missing_scopes(pending.scopes, pending.oauth_app.scopes)
    return list(more[:_MAX_SCOPES_TOLD])


def _begin_epoch(grant: Grant, pending: PendingLink) -> None:
    """A new consent starts from nothing: no failure, no lease, no doubt."""
    fresh = Grant(expires_at=pending.created_at)
    for name in (
        "status",
        "death_reason",
        "queued_until",
        "lease_id",
        "lease_until",
        "attempt",
        "uncertain_since",
        "consecutive_failures",
        "refusals",
        "first_refused_at",
        "last_refused_at",
        "last_error",
        "last_error_at",
    ):
        setattr(grant, name, getattr(fresh, name))
    grant.account_name, grant.scopes = pending.account_name, pending.scopes
    grant.consented_at = grant.last_rotated_at = pending.created_at
    grant.account_read_at = pending.created_at
    grant.expires_at = pending.created_at + timedelta(
        seconds=pending.expires_in_seconds
    )
    grant.refresh_at = schedule.refresh_at(
        now=pending.created_at,
        expires_in_seconds=pending.expires_in_seconds,
        min_seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS,
        chance=_CHANCE,
    )


def _link_site(
    pending: PendingLink, grant: Grant, site: Site, actor: User, shared: bool
) -> LinkedSite:
    linked_site, created = LinkedSite.objects.get_or_create(
        organization=pending.organization,
        grant=grant,
        site_id=site.site_id,
        defaults={
            "name": site.name,
            "url": site.url,
            "icon_url": site.icon_url,
            "scopes": list(site.scopes),
            "shared": shared,
            "linked_by": actor,
        },
    )
    vacant_sites.adopt(
        linked_site=linked_site, actor=actor, is_new=created, for_all=shared
    )
    if created:
        events.record(
            Event.Kind.LINKED,
            grant=grant,
            organization=pending.organization,
            actor=actor,
            site=site.name,
            linked_site=linked_site.public_id,
            more_scopes=_more_scopes(pending),
        )
    return linked_site
