"""Client id and secret of a server: they go in, sealed, and never come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from confluence_link import events, vault
from confluence_link.models import (
    Event,
    OAuthApp,
    OAuthAppHealth,
    ServerSetup,
    database_now,
)
from confluence_link.servers.checking import is_linked
from confluence_link.servers.setups import SetupIsOver, end_setups

if TYPE_CHECKING:
    from accounts.models import User

_ENTERED = (Event.Kind.SERVER_SET_UP, Event.Kind.SECRET_ADDED)


def enter_credentials(
    *,
    oauth_app: OAuthApp,
    client_id: str,
    client_secret: str,
    actor: User | None,
    who: str = "",
) -> None:
    """Replaces what was there. `who` is the address of who is no user here.

    Raises VaultError("no_keys").
    """
    with transaction.atomic():
        app = OAuthApp.objects.select_for_update(of=("self",)).get(pk=oauth_app.pk)
        app.client_id = client_id
        vault.seal_client_secret(app, client_secret)
        app.sealed_next_client_secret = b""
        app.save(
            update_fields=[
                "client_id",
                "sealed_client_secret",
                "sealed_next_client_secret",
            ]
        )
        end_setups(app)
        try_again(app)
        _record(Event.Kind.SERVER_SET_UP, app, actor, who)


def add_secret(
    *, oauth_app: OAuthApp, client_secret: str, actor: User | None, who: str = ""
) -> None:
    """The secret to come, while the server knows two: whichever it takes is used.

    Raises VaultError("no_keys").
    """
    with transaction.atomic():
        app = OAuthApp.objects.select_for_update(of=("self",)).get(pk=oauth_app.pk)
        vault.seal_next_client_secret(app, client_secret)
        app.save(update_fields=["sealed_next_client_secret"])
        end_setups(app)
        try_again(app)
        _record(Event.Kind.SECRET_ADDED, app, actor, who)


def complete_setup(*, setup: ServerSetup, client_id: str, client_secret: str) -> None:
    """What the server's administrator entered; uses the form up.

    Of two at once, one does. A new secret of the client that people linked through
    does not end the old one. Raises SetupIsOver or VaultError("no_keys").
    """
    now = database_now()
    with transaction.atomic():
        # First, as whoever removes the server does.
        apps = OAuthApp.objects.select_for_update(of=("self",))
        app = apps.filter(pk=setup.oauth_app_id).first()
        unused = ServerSetup.objects.open(now).filter(pk=setup.pk)
        if app is None or not unused.update(used_at=now):
            raise SetupIsOver
        same = app.client_id == client_id and app.sealed_client_secret
        if same and is_linked(app):
            add_secret(
                oauth_app=app, client_secret=client_secret, actor=None, who=setup.email
            )
        else:
            enter_credentials(
                oauth_app=app,
                client_id=client_id,
                client_secret=client_secret,
                actor=None,
                who=setup.email,
            )


def last_entered(oauth_app: OAuthApp) -> Event | None:
    """Who entered credentials last, and when; nothing of what was entered."""
    entered = Event.objects.filter(oauth_app=oauth_app, kind__in=_ENTERED)
    return entered.select_related("actor").first()


def try_again(oauth_app: OAuthApp) -> None:
    """Its breaker probes at the next sweep instead of waiting."""
    OAuthAppHealth.objects.filter(oauth_app=oauth_app).update(paused_until=None)


def _record(kind: Event.Kind, app: OAuthApp, actor: User | None, who: str) -> None:
    facts: dict[str, Any] = {"server": app.name, **({"who": who} if who else {})}
    events.record(
        kind, organization=app.organization, actor=actor, oauth_app=app, **facts
    )
