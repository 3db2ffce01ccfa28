"""Makes rows for tests: everything has a default, so that a test names what matters."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts.models import Membership, Organization, User
from confluence_link import vault
from confluence_link.models import OAuthApp

if TYPE_CHECKING:
    from django.test import Client

PASSWORD = "correct horse battery staple"

_numbers = itertools.count(1)


def make_user(name: str = "", **fields: Any) -> User:
    """A person with a verified address and the password `PASSWORD`."""
    name = name or f"person{next(_numbers)}"
    fields.setdefault("email", f"{name.lower()}@example.org")
    fields.setdefault("password", make_password(PASSWORD))
    user = User.objects.create(first_name=name, **fields)
    EmailAddress.objects.create(
        user=user, email=user.email, verified=True, primary=True
    )
    return user


def make_organization(name: str = "", **roles: User) -> Organization:
    """An organization; `owner=alice, member=carol` are its memberships."""
    name = name or f"Organization {next(_numbers)}"
    organization = Organization.objects.create(
        name=name, slug=name.lower().replace(" ", "-")
    )
    for role, user in roles.items():
        Membership.objects.create(
            organization=organization, user=user, role=Membership.Role(role)
        )
    return organization


def join(user: User, organization: Organization) -> Membership:
    """The person's membership, as a member if there was none."""
    membership, _ = Membership.objects.get_or_create(
        organization=organization, user=user
    )
    return membership


def make_oauth_app(
    *, client_secret: str = "a-client-secret", **fields: Any
) -> OAuthApp:
    """A Cloud app, or a Data Center app when `base_url` is given."""
    number = next(_numbers)
    data_center = bool(fields.get("base_url"))
    fields.setdefault(
        "deployment",
        OAuthApp.Deployment.DATA_CENTER if data_center else OAuthApp.Deployment.CLOUD,
    )
    fields.setdefault("provider_id", f"app-{number}")
    fields.setdefault("name", f"Confluence {number}")
    fields.setdefault("client_id", f"client-{number}")
    app = OAuthApp(**fields)
    vault.seal_client_secret(app, client_secret)
    app.save()
    return app


def sign_in(client: Client, user: User, *, seconds_ago: float = 0) -> Client:
    """Signs in as allauth would have, that long ago with a password."""
    client.force_login(user)
    session = client.session
    session["account_authentication_methods_user"] = str(user.pk)
    at = time.time() - seconds_ago
    session["signed_in_at"] = at
    session["account_authentication_methods"] = [
        {"method": "password", "at": at, "email": user.email}
    ]
    session.save()
    return client
