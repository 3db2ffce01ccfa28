"""The change of a client secret while the server knows two of them."""

from __future__ import annotations

from django.db import transaction

from accounts.isolation import across_organizations
from confluence_link import events, vault
from confluence_link.models import Event, OAuthApp


@across_organizations()
def promote_next(oauth_app: OAuthApp) -> bool:
    """The current secret was refused and the next one taken: it becomes the current.

    Only if the row still has both as `oauth_app` was read; False if somebody else was
    faster or entered another one. Raises VaultError.
    """
    sealed = OAuthApp(provider_id=oauth_app.provider_id)
    vault.seal_client_secret(sealed, vault.open_next_client_secret(oauth_app))
    as_read = OAuthApp.objects.filter(
        pk=oauth_app.pk,
        sealed_client_secret=bytes(oauth_app.sealed_client_secret),
        sealed_next_client_secret=bytes(oauth_app.sealed_next_client_secret),
    )
    with transaction.atomic():
        if not as_read.update(
            sealed_client_secret=sealed.sealed_client_secret,
            sealed_next_client_secret=b"",
        ):
            return False
        events.record(
            Event.Kind.SECRET_CHANGED,
            oauth_app=oauth_app,
            organization=oauth_app.organization,
        )
    return True
