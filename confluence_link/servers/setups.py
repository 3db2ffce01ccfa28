"""The single-use form for the administrator of a server, who has no account here.

The token is in the mail and nowhere else: the row has its hash. Whoever holds it may
enter client id and secret once, and sees nothing of what is stored.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from accounts.isolation import across_organizations
from accounts.mailed_links import digest, new_token
from accounts.models import Membership
from accounts.rights import Right
from confluence_link import events
from confluence_link.models import Event, OAuthApp, ServerSetup, database_now

if TYPE_CHECKING:
    from accounts.models import User

LIFE: Final = timedelta(days=7)


class SetupIsOver(Exception):
    """There is no such form, or none any more; which of the two is not told."""


def open_setup(oauth_app: OAuthApp) -> ServerSetup | None:
    rows = ServerSetup.objects.open(database_now())
    return rows.filter(oauth_app=oauth_app).first()


def send_setup(
    *, oauth_app: OAuthApp, email: str, actor: User
) -> tuple[ServerSetup, str]:
    """The set-up and its token, which is for the mail alone. Older ones end.

    Raises SetupIsOver if the server was removed meanwhile.
    """
    now, token = database_now(), new_token()
    assert oauth_app.organization is not None
    with transaction.atomic():
        rows = OAuthApp.objects.select_for_update(no_key=True)
        if rows.filter(pk=oauth_app.pk).first() is None:
            raise SetupIsOver
        end_setups(oauth_app)
        setup = ServerSetup.objects.create(
            organization=oauth_app.organization,
            oauth_app=oauth_app,
            email=email,
            token_hash=digest(token),
            invited_by=actor,
            created_at=now,
            expires_at=now + LIFE,
        )
        events.record(
            Event.Kind.SERVER_SETUP_SENT,
            organization=oauth_app.organization,
            actor=actor,
            oauth_app=oauth_app,
            server=oauth_app.name,
            who=email,
        )
    return setup, token


def withdraw_setup(*, oauth_app: OAuthApp) -> None:
    """What was mailed works no more."""
    end_setups(oauth_app)


@across_organizations()
def find_setup(*, token_hash: str) -> ServerSetup:
    """The open form of this token. Raises SetupIsOver.

    It is worth nothing once its sender could not send it any more.
    """
    rows = ServerSetup.objects.open(database_now()).select_related(
        "organization", "oauth_app", "invited_by"
    )
    setup = rows.filter(token_hash=token_hash).first()
    if setup is None or not _stands(setup):
        raise SetupIsOver
    return setup


def purge() -> None:
    """Forgets what was over long ago."""
    ServerSetup.objects.forget_old(database_now())


def end_setups(oauth_app: OAuthApp) -> None:
    now = database_now()
    waiting = ServerSetup.objects.open(now).filter(oauth_app=oauth_app)
    waiting.update(revoked_at=now)


def _stands(setup: ServerSetup) -> bool:
    sender = Membership.objects.of_sender(setup)
    return sender is not None and sender.may(Right.ADD_SERVERS)
