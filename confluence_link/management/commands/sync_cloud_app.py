"""Makes the Cloud app what the environment says. Run at every start; idempotent."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from confluence_link import events, vault
from confluence_link.errors import VaultError
from confluence_link.models import Event, OAuthApp, OAuthAppHealth

PROVIDER_ID: Final = "cloud"


class Command(BaseCommand):
    help = "Creates or updates the Confluence Cloud app from CONFLUENCE_CLOUD_*."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.CONFLUENCE_CLOUD_CLIENT_ID:
            self.stdout.write(
                "CONFLUENCE_CLOUD_CLIENT_ID is empty: the Cloud app stays as it is."
            )
            return
        if not settings.CONFLUENCE_CLOUD_CLIENT_SECRET:
            raise CommandError(
                "CONFLUENCE_CLOUD_CLIENT_SECRET is empty, although there is a client"
                " ID. Both are on the app's Settings page in Atlassian's console."
            )
        try:
            changed = sync()
        except VaultError as error:
            raise CommandError(
                f"The client secret cannot be sealed ({error}):"
                " set CONFLUENCE_LINK_VAULT_KEYS."
            ) from None
        self.stdout.write(
            f"The Cloud app changed: {', '.join(changed)}."
            if changed
            else "The Cloud app is up to date."
        )


@transaction.atomic
def sync() -> list[str]:
    """What had to change, by name. Two starts at once make one row."""
    app, created = OAuthApp.objects.select_for_update().get_or_create(
        provider_id=PROVIDER_ID,
        defaults={
            "deployment": OAuthApp.Deployment.CLOUD,
            "name": "Confluence Cloud",
        },
    )
    if app.deployment != OAuthApp.Deployment.CLOUD:
        raise CommandError("The provider id 'cloud' belongs to a Data Center app.")
    changed = ["added"] if created else []
    for field, value in _from_settings().items():
        if getattr(app, field) != value:
            setattr(app, field, value)
            changed.append(field)
    if _secret_differs(app):
        vault.seal_client_secret(app, settings.CONFLUENCE_CLOUD_CLIENT_SECRET)
        changed.append("client_secret")
    if changed:
        app.save()
        # What was refused before may be right now: probe at the next sweep.
        OAuthAppHealth.objects.filter(oauth_app=app).update(paused_until=None)
        events.record(Event.Kind.APP_CHANGED, oauth_app=app, changed=changed)
    return changed


def _from_settings() -> dict[str, Any]:
    return {
        "client_id": settings.CONFLUENCE_CLOUD_CLIENT_ID,
        "scopes": list(settings.CONFLUENCE_CLOUD_SCOPES),
        "from_settings": True,
    }


def _secret_differs(app: OAuthApp) -> bool:
    """Opened to compare, so that a start does not seal the same secret anew."""
    if not app.sealed_client_secret:
        return True
    try:
        known = vault.open_client_secret(app)
    except VaultError:
        return True
    return bool(known != settings.CONFLUENCE_CLOUD_CLIENT_SECRET)
