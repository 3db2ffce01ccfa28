"""Leaving an organization, and removing a member: what ends is shown before."""

from __future__ import annotations

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
    people = Membership.objects.select_related("user", "organization")
    target = get_object_or_404(
        people, organization=membership.organization, public_id=public_id
    )
    if target == membership:
        return redirect("confluence_link:leave", membership.organization.slug)
    if target.may(Right.OWN) and not membership.may(Right.OWN):
        raise PermissionDenied
    context: dict[str, Any] = {}
    if _end(request, membership, target, context):
        messages.success(request, f"{target.user} is not a member any more.")
        return redirect("accounts:members", membership.organization.slug)
    return render(request, "confluence_link/remove_member.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@member_view
def leave(request: HttpRequest, membership: Membership) -> HttpResponse:
    context: dict[str, Any] = {}
    if _end(request, membership, membership, context):
        messages.success(request, f"You left {membership.organization}.")
        return redirect("home")
    return render(request, "confluence_link/leave.html", context)


def _end(
    request: HttpRequest,
    acting: Membership,
    target: Membership,
    context: dict[str, Any],
) -> bool:
    """Ends the membership if the form says so; else `context` is the page's."""
    require_recent_sign_in(request)
    preview = leaving.preview(membership=target, at_most=SHOWN)
    vacant = [end.linked_site for end in preview.ends if end.becomes_vacant]
    form = AdoptersForm(posted(request), leaver=target, linked_sites=vacant)
    is_only_owner = False
    if request.method == "POST" and form.is_valid():
        try:
            leaving.end_membership(
                membership=target, actor=acting.user, adopters=form.adopters
            )
        except owners.NoOwnerLeft:
            is_only_owner = True
        else:
            return True
    context |= {
        "target": target,
        "ends": [(end, form.field_of(end.linked_site)) for end in preview.ends],
        "more": preview.more,
        "is_only_owner": is_only_owner or _is_only_owner(target),
    }
    return False


def _is_only_owner(target: Membership) -> bool:
    try:
        owners.check_one_stays(target)
    except owners.NoOwnerLeft:
        return True
    return False
