"""The organization's home: how its links are, and what needs somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.tenancy import member_view

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership


@require_safe
@member_view
def organization(request: HttpRequest, membership: Membership) -> HttpResponse:
    context = {"organization": membership.organization}
    return render(request, "confluence_link/organization.html", context)
