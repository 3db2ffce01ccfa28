"""Deleting an organization, by an owner who types its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import Membership, ServiceKey
from accounts.recent_sign_in import require_recent_sign_in
from accounts.rights import Right
from accounts.tenancy import with_right
from confluence_link.forms import TypedNameForm, posted
from confluence_link.linking import deleting
from confluence_link.models import LinkedSite, OAuthApp, VacantSite

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Organization


@never_cache
@require_http_methods(["GET", "POST"])
@with_right(Right.OWN)
def delete_organization(request: HttpRequest, membership: Membership) -> HttpResponse:
    require_recent_sign_in(request)
    organization = membership.organization
    form = TypedNameForm(
        posted(request),
        expected=organization.name,
        label="Name of the organization",
    )
    if form.is_valid():
        deleting.delete_organization(organization=organization, actor=membership.user)
        messages.success(request, f"{organization.name} is deleted.")
        return redirect("home")
    context = {"form": form, "goes": _goes(organization)}
    return render(request, "confluence_link/delete_organization.html", context)


def _goes(organization: Organization) -> dict[str, int]:
    """How many rows of each kind go along."""
    keys = ServiceKey.objects.for_organization(organization)
    return {
        "members": Membership.objects.for_organization(organization).count(),
        "linked_sites": LinkedSite.objects.for_organization(organization).count(),
        "vacant_sites": VacantSite.objects.for_organization(organization).count(),
        "servers": OAuthApp.objects.owned_by(organization).count(),
        "keys": keys.filter(revoked_at=None).count(),
    }
