"""What the demo finds in its database: an admin, and the sandbox's two apps."""

from __future__ import annotations

import os
from typing import NamedTuple

from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.db import connections

from accounts.models import Organization, User
from config.run import demo_environment
from confluence_link import vault
from confluence_link.models import OAuthApp


class Callbacks(NamedTuple):
    """The redirect URIs that the sandbox has to know."""

    cloud: str
    data_center: str


def prepare() -> Callbacks:
    """Makes or repairs everything; a second run changes nothing."""
    call_command("migrate", verbosity=0)
    call_command("sync_cloud_app")
    _make_admin(os.environ["DEMO_ADMIN_EMAIL"], os.environ["DEMO_ADMIN_PASSWORD"])
    cloud = OAuthApp.objects.filter(from_settings=True).first()
    callbacks = Callbacks(
        cloud=cloud.redirect_uri if cloud else "",
        data_center=_link_data_center().redirect_uri,
    )
    # The processes that follow open their own.
    connections.close_all()
    return callbacks


def _make_admin(email: str, password: str) -> None:
    admin = User.objects.filter(email=email).first()
    if admin is None:
        admin = User.objects.create_superuser(email, password)
    elif not admin.check_password(password):
        admin.set_password(password)
        admin.save()
    EmailAddress.objects.update_or_create(
        user=admin, email=email, defaults={"verified": True, "primary": True}
    )
    Organization.objects.own_of(admin)


def _link_data_center() -> OAuthApp:
    app, _ = OAuthApp.objects.get_or_create(
        provider_id="sandbox-wiki",
        defaults={
            "deployment": OAuthApp.Deployment.DATA_CENTER,
            "name": "Company wiki (sandbox)",
            "base_url": demo_environment.data_center_url(),
            "client_id": os.environ["SANDBOX_DATA_CENTER_CLIENT_ID"],
            "scopes": ["WRITE"],
        },
    )
    vault.seal_client_secret(app, os.environ["SANDBOX_DATA_CENTER_CLIENT_SECRET"])
    app.save()
    return app
