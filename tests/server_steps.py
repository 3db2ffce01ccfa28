"""A Data Center server of Alice's organization, as its admins would have added it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.core import mail
from django.urls import reverse

from confluence_link import servers
from confluence_link.models import OAuthApp

if TYPE_CHECKING:
    from django.test import Client
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

    from accounts.models import Organization, User

CLIENT_ID, CLIENT_SECRET = "the-client-CNRY", "the-secret-CNRY"


def add(
    organization: Organization, actor: User, base_url: str, **fields: Any
) -> OAuthApp:
    return servers.add(
        organization=organization,
        base_url=base_url,
        actor=actor,
        **{"name": "Our wiki", "scopes": ["WRITE"], **fields},
    )


def address(server: OAuthApp, name: str = "server") -> str:
    assert server.organization is not None
    slug = server.organization.slug
    return reverse(f"confluence_link:{name}", args=[slug, server.provider_id])


def again(server: OAuthApp) -> OAuthApp:
    """The row as it is now."""
    return OAuthApp.objects.get(pk=server.pk)


def ask(client: Client, server: OAuthApp, email: str = "erin@example.org") -> str:
    """Mails the form; the address in the mail."""
    client.post(address(server, "ask_administrator"), {"email": email})
    found = re.search(r"https?://\S+/server-setup/\S+/", str(mail.outbox[-1].body))
    assert found is not None
    return found[0]


def fill(client: Client, **changes: str) -> Answer:
    """Sends the form behind the mail."""
    entered = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **changes}
    return client.post(reverse("server_setup"), entered)


class AwayBackend:
    """A mail server that is not there."""

    def __init__(self, **kwargs: Any) -> None:
        """Django names host and port; nobody is asked."""

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError
