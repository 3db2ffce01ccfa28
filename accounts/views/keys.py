"""The organization's keys for services: list, make, revoke."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import service_keys
from accounts.forms import ServiceKeyForm
from accounts.paging import numbered_urls
from accounts.recent_sign_in import require_recent_sign_in
from accounts.rights import Right
from accounts.tenancy import with_right

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership, ServiceKey

_PER_PAGE: Final = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@with_right(Right.MAKE_KEYS)
def keys(request: HttpRequest, membership: Membership) -> HttpResponse:
    """A new key is in the answer to the form and nowhere else."""
    if request.method == "POST":
        require_recent_sign_in(request)
    form = ServiceKeyForm(request.POST or None)
    made = _make(membership, form) if form.is_valid() else {"form": form}
    context = {**made, **_list(request, membership)}
    return render(request, "accounts/keys.html", context)


@require_POST
@with_right(Right.MAKE_KEYS)
def revoke_key(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    rows = service_keys.of_organization(membership.organization)
    key = get_object_or_404(rows, public_id=public_id)
    service_keys.revoke(key=key, actor=membership.user, now=timezone.now())
    messages.success(request, f"The key “{key.name}” works no more.")
    return redirect("accounts:keys", membership.organization.slug)


def _make(membership: Membership, form: ServiceKeyForm) -> dict[str, Any]:
    now, days = timezone.now(), int(form.cleaned_data["days"])
    made, key = service_keys.make(
        organization=membership.organization,
        name=form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        expires_at=now + timedelta(days=days) if days else None,
        actor=membership.user,
        now=now,
    )
    return {"made": made, "key": key, "form": ServiceKeyForm()}


def _list(request: HttpRequest, membership: Membership) -> dict[str, Any]:
    now = timezone.now()
    rows = service_keys.of_organization(membership.organization)
    page = Paginator(rows, _PER_PAGE).get_page(request.GET.get("page"))
    return {
        "rows": [(key, service_keys.state_of(key, now), _scopes(key)) for key in page],
        **numbered_urls(request, page),
    }


def _scopes(key: ServiceKey) -> list[str]:
    return [service_keys.SCOPES[scope] for scope in key.scopes]
