"""A consent waits, sealed, for the person's word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.db import transaction

from accounts import owners
from accounts.isolation import across_organizations
from accounts.models import Membership
from confluence_link import vault
from confluence_link.errors import LinkRefused
from confluence_link.linking.states import PENDING_LIFE, digest
from confluence_link.models import (
    Grant,
    LinkedSite,
    OAuthApp,
    PendingLink,
    database_now,
)

if TYPE_CHECKING:
    from accounts.models import Organization, User
    from confluence_link.atlassian import Account
    from confluence_link.linking.consent import Consent


@across_organizations()
def pend(
    *,
    consent: Consent,
    oauth_app: OAuthApp,
    user: User,
    organization: Organization,
    session_key: str,
    reconnect: str = "",
) -> PendingLink:
    """Seals a consent until the person confirms it; older ones of theirs are dropped.

    `reconnect` is the public id of the linked site that asked for a new consent.
    Raises LinkRefused: not_member, other_user, other_account, configuration.
    """
    check_owner(oauth_app, consent.account.account_id, user)
    if reconnect:
        _check_same_account(organization, reconnect, consent.account)
    pending = PendingLink(
        user=user,
        organization=organization,
        oauth_app=oauth_app,
        session_hash=digest(session_key),
        account_id=consent.account.account_id,
        account_name=consent.account.name,
        scopes=list(consent.token_set.scopes or oauth_app.scopes),
        sites=[site.as_dict() for site in consent.sites],
        expires_in_seconds=consent.token_set.expires_in_seconds,
        created_at=database_now(),
    )
    tokens = [consent.token_set.access_token, consent.token_set.refresh_token]
    pending.sealed_token_set = vault.seal(
        json.dumps(tokens), binding=binding_of(pending)
    )
    with transaction.atomic():
        check_member(user, organization)
        _check_same_server(oauth_app)
        PendingLink.objects.filter(
            user=user, oauth_app=oauth_app, account_id=pending.account_id
        ).delete()
        pending.save()
    return pending


def _check_same_server(oauth_app: OAuthApp) -> None:
    """Whether tokens of the consent would still be sent where they came from.

    A change of the app waits until the row that points to it is committed, and finds
    it. Not for its key, which other rows that point to it look at.
    """
    same = OAuthApp.objects.select_for_update(no_key=True).filter(
        pk=oauth_app.pk, base_url=oauth_app.base_url, client_id=oauth_app.client_id
    )
    if same.first() is None:
        raise LinkRefused("configuration")


def _check_same_account(
    organization: Organization, reconnect: str, account: Account
) -> None:
    linked_site = LinkedSite.objects.filter(
        organization=organization, public_id=reconnect
    )
    if linked_site.exclude(grant__account_id=account.account_id).exists():
        raise LinkRefused("other_account")


def binding_of(pending: PendingLink) -> vault.Binding:
    return vault.Binding(
        purpose="pending_link",
        table="pending_link",
        record=pending.public_id,
        oauth_app=str(pending.oauth_app_id),
    )


def check_member(user: User, organization: Organization) -> None:
    """Raises LinkRefused("not_member"). Until the transaction ends, they stay one.

    Nor is either switched off before: `pausing` then finds what was linked.
    """
    owners.lock_person(user)
    owners.lock(organization)
    memberships = Membership.objects.select_for_update(of=("self",)).filter(
        user=user,
        user__is_active=True,
        organization=organization,
        organization__is_active=True,
    )
    if memberships.first() is None:
        raise LinkRefused("not_member")


def check_owner(oauth_app: OAuthApp, account_id: str, user: User) -> None:
    """An account is linked by one user at a time. Nothing of theirs is touched."""
    others = Grant.objects.filter(oauth_app=oauth_app, account_id=account_id)
    if others.exclude(status=Grant.Status.UNLINKED).exclude(user=user).exists():
        raise LinkRefused("other_user")


def pending_link(
    *, public_id: str, user: User, organization: Organization, session_key: str
) -> PendingLink:
    """The person's own unexpired pending link, begun in this very session.

    Raises LinkRefused("pending_expired"), the same whatever is wrong.
    """
    pending = (
        PendingLink.objects.select_related("oauth_app", "organization", "user")
        .filter(
            public_id=public_id,
            user=user,
            organization=organization,
            session_hash=digest(session_key),
            created_at__gt=database_now() - PENDING_LIFE,
        )
        .first()
    )
    if pending is None:
        raise LinkRefused("pending_expired")
    return pending


def cancel(*, pending: PendingLink) -> None:
    """Erases what was pending; the consent at Atlassian stays, and the page says so."""
    pending.delete()
