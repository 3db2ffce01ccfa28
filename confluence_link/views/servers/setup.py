"""What the administrator of a server finds behind the mail. They have no account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.isolation import acting_for
from accounts.mailed_links import arrive, digest
from accounts.rate_limits import allow, source_of
from confluence_link import servers
from confluence_link.views.servers.card import permission_of, sender_of
from confluence_link.views.servers.forms import CredentialsForm

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from confluence_link.models import ServerSetup

# In the session, between the mailed address and the page: the token's hash.
SESSION_KEY: Final = "server_setup"
MISSES_PER_HOUR: Final = 20


@never_cache
@require_safe
def arrival(request: HttpRequest, token: str) -> HttpResponse:
    """The mailed address."""
    try:
        servers.find_setup(token_hash=digest(token))
    except servers.SetupIsOver:
        return _over(request)
    return arrive(request, token, session_key=SESSION_KEY, page="server_setup")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def server_setup(request: HttpRequest) -> HttpResponse:
    """What to enter at the server, and two fields that can be sent once."""
    token_hash = request.session.get(SESSION_KEY, "")
    try:
        setup = servers.find_setup(token_hash=token_hash)
        with acting_for(organization_id=setup.organization_id):
            return _form(request, setup)
    except servers.SetupIsOver:
        return _over(request)


def _form(request: HttpRequest, setup: ServerSetup) -> HttpResponse:
    form = CredentialsForm(request.POST or None)
    context = {
        "setup": setup,
        "sender": sender_of(setup),
        "server": setup.oauth_app,
        "permission": permission_of(setup.oauth_app),
        "form": form,
    }
    if not form.is_valid():
        return render(request, "confluence_link/servers/setup.html", context)
    servers.complete_setup(setup=setup, **form.cleaned_data)
    return render(request, "confluence_link/servers/setup_done.html", context)


def _over(request: HttpRequest) -> HttpResponse:
    """The same for unknown, used, expired and withdrawn ones; guessing is slowed."""
    if not allow(
        "server_setup",
        key=source_of(request),
        limit=MISSES_PER_HOUR,
        per_seconds=3600,
    ):
        return render(request, "429.html", status=429)
    return render(request, "confluence_link/servers/setup_over.html", status=410)
