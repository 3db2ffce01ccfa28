"""One's own data: what is there, taking it along, and deleting the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.recent_sign_in import require_recent_sign_in
from confluence_link.forms import TypedNameForm, posted
from confluence_link.linking import deleting
from confluence_link.views.own_data import own_data

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@never_cache
@require_safe
@login_required
def my_data(request: HttpRequest) -> HttpResponse:
    return render(request, "confluence_link/my_data.html")


@never_cache
@require_safe
@login_required
def export_my_data(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    require_recent_sign_in(request)
    response = JsonResponse(own_data(request.user), json_dumps_params={"indent": 2})
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def delete_my_account(request: HttpRequest) -> HttpResponse:
    """Says what goes, and refuses while others would be left without an owner."""
    assert isinstance(request.user, User)
    require_recent_sign_in(request)
    form = TypedNameForm(
        posted(request), expected=request.user.email, label="Your e-mail address"
    )
    if form.is_valid():
        try:
            deleting.delete_person(user=User.objects.get(pk=request.user.pk))
        except deleting.OnlyOwner:
            # The page says which; somebody left since it was drawn.
            pass
        else:
            logout(request)
            messages.success(request, "Your account is deleted.")
            return redirect("home")
    context = {"form": form, "end": deleting.preview(request.user)}
    return render(request, "confluence_link/delete_my_account.html", context)
