"""The mail to a server's administrator: what to enter there, and a single-use form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import mails
from accounts.rights import Right
from accounts.tenancy import with_right
from confluence_link import servers
from confluence_link.views.servers.card import permission_of, sender_of
from confluence_link.views.servers.forms import AskForm
from confluence_link.views.servers.frame import (
    form_page,
    may_ask,
    server_of,
    to_server,
)

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership
    from confluence_link.models import OAuthApp, ServerSetup


@form_page
def ask_administrator(
    request: HttpRequest, membership: Membership, provider_id: str
) -> HttpResponse:
    server = server_of(membership, provider_id)
    form = AskForm(request.POST or None)
    if form.is_valid() and _sent(form, membership, server):
        address = form.cleaned_data["email"]
        messages.success(request, f"A mail is on its way to {address}.")
        return to_server(membership, server)
    context = {
        "server": server,
        "permission": permission_of(server),
        "setup": servers.open_setup(server),
        "form": form,
    }
    return render(request, "confluence_link/servers/ask.html", context)


@with_right(Right.ADD_SERVERS)
@require_POST
def withdraw_setup(
    request: HttpRequest, membership: Membership, provider_id: str
) -> HttpResponse:
    server = server_of(membership, provider_id)
    servers.withdraw_setup(oauth_app=server)
    messages.success(request, "What was mailed works no more.")
    return to_server(membership, server)


def _sent(form: AskForm, membership: Membership, server: OAuthApp) -> bool:
    """Sends at once: the token is nowhere else."""
    if not may_ask(membership):
        form.add_error(None, "Many mails were sent in the last hour. Try again later.")
        return False
    address = form.cleaned_data["email"]
    try:
        setup, token = servers.send_setup(
            oauth_app=server, email=address, actor=membership.user
        )
    except servers.SetupIsOver:
        raise Http404 from None
    template = "confluence_link/mail/server_setup"
    if not mails.send(template, _words(setup, server, token), to=setup.email):
        servers.withdraw_setup(oauth_app=server)
        form.add_error(None, "The mail could not be sent. Try again later.")
        return False
    return True


def _words(setup: ServerSetup, server: OAuthApp, token: str) -> dict[str, Any]:
    return {
        "sender": mails.one_line(sender_of(setup)),
        "organization": mails.one_line(setup.organization.name),
        "server": mails.one_line(server.name),
        "base_url": server.base_url,
        "redirect_uri": server.redirect_uri,
        "permission": permission_of(server),
        "expires_at": setup.expires_at,
        "url": f"{settings.PUBLIC_URL}{reverse('server_setup_arrival', args=[token])}",
    }
