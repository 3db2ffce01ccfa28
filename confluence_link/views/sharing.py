"""The switch between "shared" and "only me" of one linked site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.tenancy import member_view
from confluence_link import linking
from confluence_link.models import LinkedSite

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership


@require_POST
@member_view
def share(request: HttpRequest, membership: Membership, public_id: str) -> HttpResponse:
    """Shares with `who=all`; anything else keeps the site to its linker."""
    assert isinstance(request.user, User)
    sites = LinkedSite.objects.visible_to(membership)
    site = get_object_or_404(sites, public_id=public_id)
    if request.POST.get("who") == "all":
        _permit(site.may_be_shared_by(membership))
        linking.share(linked_site=site, actor=request.user)
        told = f"{site} is shared with {membership.organization} and its services."
    else:
        _permit(site.may_be_unshared_by(membership))
        linking.keep_private(linked_site=site, actor=request.user)
        told = f"{site} is used by {site.grant.user} alone."
    messages.success(request, told)
    return redirect("confluence_link:linked_sites", membership.organization.slug)


def _permit(may: bool) -> None:
    if not may:
        raise PermissionDenied
