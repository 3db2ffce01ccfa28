"""Leaving an organization, and removing a member: what ends is shown before."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import owners
from accounts.models import Membership
from accounts.recent_sign_in import require_recent_sign_in
from accounts.rights import Right
from accounts.tenancy import member_view, with_right
from confluence_link.forms import AdoptersForm, posted
from confluence_link.linking import leaving

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

# Nobody names more adopters than that at one go; the list of vacant sites has the rest.
SHOWN: Final = 100


@never_cache
@require_http_methods(["GET", "POST"])
@with_right(Right.REMOVE_MEMBERS)
def remove_member(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    members = Membership.objects.for_organization(membership.organization)
    people = members.select_related("user", "organization")
    target = get_object_or_404(people, public_id=public_id)
    if target == membership:
        return redirect("confluence_link:leave", membership.organization.slug)
    if not membership.may_give(target.role):
        raise PermissionDenied
    context = _end_or_ask(request, membership, target)
    if context is not None:
        return render(request, "confluence_link/remove_member.html", context)
    messages.success(request, f"{target.user} is not a member any more.")
    return redirect("accounts:members", membership.organization.slug)


@never_cache
@require_http_methods(["GET", "POST"])
@member_view
def leave(request: HttpRequest, membership: Membership) -> HttpResponse:
    context = _end_or_ask(request, membership, membership)
    if context is not None:
        return render(request, "confluence_link/leave.html", context)
    messages.success(request, f"You left {membership.organization}.")
    return redirect("home")


def _end_or_ask(
    request: HttpRequest, acting: Membership, target: Membership
) -> dict[str, Any] | None:
    """None: the membership is ended, as the form says. Else what the page shows."""
    require_recent_sign_in(request)
    preview = leaving.preview(membership=target, at_most=SHOWN)
    vacant = [end.linked_site for end in preview.ends if end.becomes_vacant]
    form = AdoptersForm(posted(request), leaver=target, linked_sites=vacant)
    if request.method == "POST" and form.is_valid():
        # Of an only owner the page says that they cannot go.
        with suppress(owners.NoOwnerLeft):
            leaving.end_membership(
                membership=target, actor=acting.user, adopters=form.adopters
            )
            return None
    return {
        "target": target,
        "ends": [(end, form.field_of(end.linked_site)) for end in preview.ends],
        "more": preview.more,
        "is_only_owner": owners.owns_alone(target),
    }
