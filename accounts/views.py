"""The start page. Everything else about an account is allauth's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render

from accounts.models import Organization, User

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def home(request: HttpRequest) -> HttpResponse:
    """What this is, or for someone signed in, their own organization."""
    if isinstance(request.user, User):
        return redirect(Organization.objects.own_of(request.user))
    return render(request, "home.html")
