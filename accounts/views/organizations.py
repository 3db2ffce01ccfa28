"""Making an organization, and what its owners may change about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import rate_limits
from accounts.forms import OrganizationForm
from accounts.models import Organization, User
from accounts.rights import Right
from accounts.tenancy import with_right

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership

NEW_PER_HOUR: Final = 10


@login_required
@require_http_methods(["GET", "POST"])
def new_organization(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    form = OrganizationForm(request.POST or None)
    if form.is_valid():
        if not rate_limits.allow(
            "organization.new",
            key=str(request.user.pk),
            limit=NEW_PER_HOUR,
            per_seconds=3600,
        ):
            return render(request, "429.html", status=429)
        name = form.cleaned_data["name"]
        return redirect(Organization.objects.found(name=name, owner=request.user))
    return render(request, "accounts/new_organization.html", {"form": form})


@require_http_methods(["GET", "POST"])
@with_right(Right.OWN)
def organization_settings(request: HttpRequest, membership: Membership) -> HttpResponse:
    organization = membership.organization
    form = OrganizationForm(request.POST or None, initial={"name": organization.name})
    if form.is_valid():
        organization.rename(form.cleaned_data["name"], actor=membership.user)
        messages.success(request, f"The organization is called {organization} now.")
        return redirect("accounts:organization_settings", organization.slug)
    return render(request, "accounts/organization_settings.html", {"form": form})
