"""Servers are added, changed and removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils.crypto import get_random_string

from accounts.isolation import across_organizations
from accounts.models import Organization
from confluence_link import atlassian, events, linking, vault
from confluence_link.http import check_base_url, check_proxy_url
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    OAuthApp,
    PendingLink,
)
from confluence_link.servers.checking import is_linked
from confluence_link.servers.credentials import try_again
from confluence_link.servers.setups import end_setups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.models import User
    from confluence_link.http import NetworkPolicy

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
# What was seen before a change of these is not true any more.
_CONNECTING: Final = frozenset(
    {"base_url", "ca_bundle", "client_certificate", "proxy_url", "proxy_credentials"}
)


class AddressIsFixed(Exception):
    """People linked. Their refresh tokens are sent there: no edit redirects them."""


class WayIsTheOperators(Exception):
    """On the way that was asked for somebody could read along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What people may change of a server; None leaves a sealed setting as it is."""

    name: str
    scopes: Sequence[str]
    base_url: str
    ca_bundle: str = ""
    proxy_url: str = ""
    proxy_credentials: str | None = field(default=None, repr=False)
    client_certificate: str | None = field(default=None, repr=False)


def read_base_url(url: str, oauth_app: OAuthApp | None = None) -> str:
    """Its one notation, under what the operator permits. Raises BlockedAddress."""
    return check_base_url(url, _permitted(oauth_app))


def read_proxy_url(url: str, oauth_app: OAuthApp) -> str:
    """Its one notation; raises BlockedAddress."""
    return check_proxy_url(url, _permitted(oauth_app))


def add(
    *,
    organization: Organization,
    base_url: str,
    name: str,
    scopes: Sequence[str],
    actor: User,
) -> OAuthApp:
    """A new server, or the organization's own draft with this address.

    The draft makes a form that was sent twice one server. Raises BlockedAddress.
    """
    base_url = read_base_url(base_url)
    with transaction.atomic():
        _lock(organization)
        own = OAuthApp.objects.owned_by(organization)
        draft = own.filter(base_url=base_url, client_id="").first()
        if draft is not None:
            return draft
        app = OAuthApp.objects.create(
            # Names neither the organization nor the host: it is part of an address
            # that the server's administrator gets to see, and others may guess at.
            provider_id=f"dc-{get_random_string(10, _ALPHABET)}",
            deployment=OAuthApp.Deployment.DATA_CENTER,
            organization=organization,
            base_url=base_url,
            name=name,
            scopes=list(scopes),
        )
        _record(Event.Kind.SERVER_ADDED, app, actor)
    return app


def change(*, oauth_app: OAuthApp, settings: Settings, actor: User) -> list[str]:
    """The names of the fields that changed; their event has no values.

    Raises AddressIsFixed, WayIsTheOperators, BlockedAddress, UnusableCertificate, or
    VaultError("no_keys").
    """
    with transaction.atomic():
        app = _locked(oauth_app)
        if app is None:
            return []
        changed = _change_address(app, settings) + _change_plain(app, settings)
        changed += _change_sealed(app, settings, changed)
        if not changed:
            return changed
        _keep_secrets_from(app, changed)
        if _CONNECTING.intersection(changed):
            app.probed_at, app.probe_steps = None, []
            try_again(app)
        app.save()
        _record(Event.Kind.SERVER_CHANGED, app, actor, changed=changed)
    return changed


def _change_address(app: OAuthApp, settings: Settings) -> list[str]:
    if settings.base_url == app.base_url:
        return []
    if is_linked(app):
        raise AddressIsFixed
    app.base_url = read_base_url(settings.base_url, app)
    app.server_id = app.server_version = ""
    return ["base_url"]


def _change_plain(app: OAuthApp, settings: Settings) -> list[str]:
    proxy_url = settings.proxy_url and read_proxy_url(settings.proxy_url, app)
    wanted = {
        "name": settings.name,
        "scopes": list(settings.scopes),
        "ca_bundle": settings.ca_bundle,
        "proxy_url": proxy_url,
    }
    changed = [name for name, value in wanted.items() if getattr(app, name) != value]
    for name in changed:
        setattr(app, name, wanted[name])
    return changed


def _change_sealed(
    app: OAuthApp, settings: Settings, changed: Sequence[str]
) -> list[str]:
    sealed = []
    credentials = settings.proxy_credentials
    if credentials is None and "proxy_url" in changed:
        # Another proxy does not get the password of the one before.
        credentials = ""
    if credentials or (credentials == "" and app.sealed_proxy_credentials):
        vault.seal_proxy_credentials(app, credentials)
        sealed.append("proxy_credentials")
    pem = settings.client_certificate
    if pem or (pem == "" and app.sealed_client_certificate):
        vault.seal_client_certificate(app, pem)
        sealed.append("client_certificate")
    return sealed


def _keep_secrets_from(app: OAuthApp, changed: Sequence[str]) -> None:
    """What was entered for one server is not sent elsewhere, and read by nobody.

    Whoever chooses the address must not get to see the secret and people's tokens;
    nor who names both a proxy and the authority that vouches for what is behind it,
    whether people have linked or will.
    """
    readable = bool(app.ca_bundle) or app.base_url.startswith("http:")
    on_the_way = {"ca_bundle", "proxy_url", "base_url"}.intersection(changed)
    if on_the_way and app.proxy_url and readable:
        raise WayIsTheOperators
    if "base_url" in changed:
        app.client_id = ""
        app.sealed_client_secret = app.sealed_next_client_secret = b""
        PendingLink.objects.filter(oauth_app=app).delete()
        end_setups(app)


@across_organizations()
def remove(*, oauth_app: OAuthApp, actor: User) -> None:
    """Ends every link through the server, and forgets it."""
    with transaction.atomic():
        app = _locked(oauth_app)
        if app is None:
            return
        # What waits first, then grant by grant: so does the end of a membership.
        PendingLink.objects.filter(oauth_app=app).delete()
        linked_sites = LinkedSite.objects.filter(grant__oauth_app=app)
        for linked_site in linked_sites.order_by("grant", "pk"):
            linking.unlink(linked_site=linked_site, actor=actor)
        for grant in Grant.objects.filter(oauth_app=app):
            linking.account_unlinked.send(sender=Grant, grant=grant)
            grant.delete()
        _record(Event.Kind.SERVER_REMOVED, app, actor)
        app.delete()


def _locked(oauth_app: OAuthApp) -> OAuthApp | None:
    """None if it was removed meanwhile.

    Whoever links through it is done, or waits. Not for its key: what ends a link
    meanwhile holds the grant and looks at that.
    """
    rows = OAuthApp.objects.select_for_update(no_key=True)
    return rows.filter(pk=oauth_app.pk).first()


def _permitted(oauth_app: OAuthApp | None) -> NetworkPolicy:
    """Without the sealed settings, which say nothing about addresses."""
    bare = OAuthApp(
        deployment=OAuthApp.Deployment.DATA_CENTER,
        allowed_private_hosts=oauth_app.allowed_private_hosts if oauth_app else [],
    )
    return atlassian.deployment_for(bare).network_policy


def _lock(organization: Organization) -> None:
    """Until the transaction ends, nobody else adds a server to the organization."""
    rows = Organization.objects.select_for_update(no_key=True)
    list(rows.filter(pk=organization.pk).values_list("pk"))


def _record(kind: Event.Kind, app: OAuthApp, actor: User, **facts: Any) -> None:
    events.record(
        kind,
        organization=app.organization,
        actor=actor,
        oauth_app=app,
        server=app.name,
        **facts,
    )
