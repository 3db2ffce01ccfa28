"""Name, address and network settings of one server; and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.shortcuts import redirect, render

from confluence_link import servers
from confluence_link.errors import VaultError
from confluence_link.models import LinkedSite, VacantSite
from confluence_link.views.servers.fields import NOTHING_CAN_BE_SEALED
from confluence_link.views.servers.frame import (
    TOO_OFTEN,
    check_again,
    form_page,
    may_add,
    server_of,
    to_server,
)
from confluence_link.views.servers.settings_form import ServerSettingsForm

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership
    from confluence_link.models import OAuthApp

_READ_ALONG: Final = (
    "Through a proxy together with a CA bundle, or without TLS, somebody could read"
    " people's tokens on the way: the operator of this service may set both."
)


@form_page
def server_settings(
    request: HttpRequest, membership: Membership, provider_id: str
) -> HttpResponse:
    server = server_of(membership, provider_id)
    form = ServerSettingsForm(request.POST or None, server=server)
    if form.is_valid() and _change(request, membership, server, form):
        return to_server(membership, server)
    context = {"server": server, "form": form}
    return render(request, "confluence_link/servers/settings.html", context)


def _change(
    request: HttpRequest,
    membership: Membership,
    server: OAuthApp,
    form: ServerSettingsForm,
) -> bool:
    wanted = form.settings
    if wanted.base_url != server.base_url and not may_add(membership):
        # Another address is as good as another server (threat S15).
        form.add_error("base_url", TOO_OFTEN.format("added"))
        return False
    try:
        changed = servers.change(
            oauth_app=server, settings=wanted, actor=membership.user
        )
    except servers.AddressIsFixed:
        form.add_error("base_url", "Somebody linked just now: it is fixed.")
        return False
    except servers.WayIsTheOperators:
        form.add_error("proxy_url", _READ_ALONG)
        return False
    except VaultError:
        form.add_error(None, NOTHING_CAN_BE_SEALED)
        return False
    if set(changed) - {"name", "scopes"}:
        check_again(request, membership, server_of(membership, server.provider_id))
    if changed:
        messages.success(request, "The settings are saved.")
    return True


@form_page
def remove_server(
    request: HttpRequest, membership: Membership, provider_id: str
) -> HttpResponse:
    """Whose links end, then the end."""
    server = server_of(membership, provider_id)
    organization = membership.organization
    if request.method == "POST":
        servers.remove(oauth_app=server, actor=membership.user)
        messages.success(request, f"{server.name} is removed.")
        return redirect("confluence_link:servers", organization.slug)
    own = LinkedSite.objects.for_organization(organization)
    context = {
        "server": server,
        "linked_sites": own.filter(grant__oauth_app=server).order_by("pk"),
        "vacant_sites": VacantSite.objects.for_organization(organization).filter(
            oauth_app=server
        ),
    }
    return render(request, "confluence_link/servers/remove.html", context)
