"""The list of servers, a new one, and one server with what is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.paging import numbered_urls
from accounts.rights import Right
from accounts.tenancy import with_right
from confluence_link import servers
from confluence_link.models import OAuthApp
from confluence_link.views.servers.card import server_card
from confluence_link.views.servers.forms import AddServerForm
from confluence_link.views.servers.frame import (
    TOO_OFTEN,
    check_again,
    form_page,
    may_add,
    server_of,
    to_server,
)
from confluence_link.views.site_card import link_url

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership

_SERVERS_PER_PAGE: Final = 30


@never_cache
@with_right(Right.ADD_SERVERS)
@require_safe
def server_list(request: HttpRequest, membership: Membership) -> HttpResponse:
    own = servers.of_organization(membership.organization)
    page = Paginator(own, _SERVERS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "cards": [server_card(server) for server in page],
        "everyones": OAuthApp.objects.of_everyone().filter(
            deployment=OAuthApp.Deployment.DATA_CENTER
        ),
        **numbered_urls(request, page),
    }
    return render(request, "confluence_link/servers/servers.html", context)


@form_page
def add_server(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = AddServerForm(request.POST or None)
    status = 200
    if form.is_valid():
        if may_add(membership):
            return _added(membership, form)
        form.add_error(None, TOO_OFTEN.format("added"))
        status = 429
    template = "confluence_link/servers/add_server.html"
    return render(request, template, {"form": form}, status=status)


def _added(membership: Membership, form: AddServerForm) -> HttpResponse:
    entered = form.cleaned_data
    server = servers.add(
        organization=membership.organization,
        base_url=entered["base_url"],
        name=entered["name"],
        scopes=[entered["permission"]],
        actor=membership.user,
    )
    servers.check(oauth_app=server)
    return to_server(membership, server)


@never_cache
@with_right(Right.ADD_SERVERS)
@require_safe
def server(
    request: HttpRequest, membership: Membership, provider_id: str
) -> HttpResponse:
    """What is left to do: reach it, create the link there, enter its credentials."""
    found = server_of(membership, provider_id)
    context = {
        "card": server_card(found),
        "setup": servers.open_setup(found),
        "entered": servers.last_entered(found),
        "link_url": link_url(found, membership.organization),
    }
    return render(request, "confluence_link/servers/server.html", context)


@with_right(Right.ADD_SERVERS)
@require_POST
def check_server(
    request: HttpRequest, membership: Membership, provider_id: str
) -> HttpResponse:
    found = server_of(membership, provider_id)
    check_again(request, membership, found)
    return to_server(membership, found)
