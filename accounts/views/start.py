"""The start page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render

from accounts import invited
from accounts.models import User
from accounts.tenancy import last_used

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def home(request: HttpRequest) -> HttpResponse:
    """What this is, or for someone signed in, the organization used last."""
    if not isinstance(request.user, User):
        return render(request, "home.html")
    organization = last_used(request)
    if organization is not None:
        return redirect(organization)
    context = {"is_invited": bool(invited.address(request))}
    return render(request, "accounts/no_organization.html", context)
