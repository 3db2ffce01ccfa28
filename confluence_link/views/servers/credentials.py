"""Client id and secret, entered by the organization's own people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
from django.shortcuts import render

from confluence_link import servers
from confluence_link.views.servers.card import permission_of
from confluence_link.views.servers.forms import CredentialsForm, SecondSecretForm
from confluence_link.views.servers.frame import form_page, server_of, to_server

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership


@form_page
def credentials(
    request: HttpRequest, membership: Membership, provider_id: str
) -> HttpResponse:
    server = server_of(membership, provider_id)
    form = CredentialsForm(request.POST or None)
    if form.is_valid():
        servers.enter_credentials(
            oauth_app=server, **form.cleaned_data, actor=membership.user
        )
        messages.success(request, "Client ID and secret are sealed. Now test the link.")
        return to_server(membership, server)
    context = {
        "server": server,
        "permission": permission_of(server),
        "form": form,
        "is_linked": servers.is_linked(server),
    }
    return render(request, "confluence_link/servers/credentials.html", context)


@form_page
def second_secret(
    request: HttpRequest, membership: Membership, provider_id: str
) -> HttpResponse:
    """While the server knows two secrets, no refresh fails."""
    server = server_of(membership, provider_id)
    if not server.client_id:
        raise Http404
    form = SecondSecretForm(request.POST or None)
    if form.is_valid():
        secret = form.cleaned_data["client_secret"]
        servers.add_secret(
            oauth_app=server, client_secret=secret, actor=membership.user
        )
        messages.success(
            request,
            "The second secret is sealed. Whichever of the two the server takes is"
            " used; you may end the first one there.",
        )
        return to_server(membership, server)
    context = {"server": server, "form": form}
    return render(request, "confluence_link/servers/second_secret.html", context)
