"""Who is in an organization, with which role, and what each role may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts import invitations, owners, roles
from accounts.forms import InviteForm, RoleForm
from accounts.models import Membership
from accounts.paging import numbered_urls
from accounts.recent_sign_in import require_recent_sign_in
from accounts.rights import ROLES_WITH, Right
from accounts.tenancy import member_view, with_right

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

_PER_PAGE: Final = 50
_NO_OWNER_LEFT: Final = (
    "An organization needs an owner. Make somebody else an owner first, or hand the"
    " organization over."
)


@require_safe
@member_view
def members(request: HttpRequest, membership: Membership) -> HttpResponse:
    people = _people(membership).order_by("user__email")
    context = {
        **_page(request, people, "page", "members"),
        **_waiting(request, membership),
        "rights_of_roles": _rights_of_roles(),
    }
    return render(request, "accounts/members.html", context)


@require_http_methods(["GET", "POST"])
@member_view
def member(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    """One member; whoever may changes the role here."""
    target = get_object_or_404(_people(membership), public_id=public_id)
    form = RoleForm(request.POST or None, acting=membership, target=target)
    if form.is_valid():
        return _change_role(request, membership, target, form.cleaned_data["role"])
    context = {
        "target": target,
        "form": form if form.offered else None,
        "is_self": target == membership,
        "may_hand_over": membership.may(Right.OWN)
        and target.user.is_active
        and target != membership,
        "may_remove": membership.may(Right.REMOVE_MEMBERS)
        and membership.may_give(target.role),
    }
    return render(request, "accounts/member.html", context)


def _change_role(
    request: HttpRequest, membership: Membership, target: Membership, role: str
) -> HttpResponse:
    touched = {target.role, role}
    if not all(membership.may_give(each) for each in touched):
        raise PermissionDenied
    if Membership.Role.OWNER in touched:
        require_recent_sign_in(request)
    try:
        roles.change_role(membership=target, role=role, actor=membership.user)
    except owners.NoOwnerLeft:
        messages.error(request, _NO_OWNER_LEFT)
    else:
        messages.success(request, f"{target.user} has the role {role} now.")
    return redirect("accounts:members", membership.organization.slug)


@require_http_methods(["GET", "POST"])
@with_right(Right.OWN)
def hand_over(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    """What changes for both, then the change."""
    others = _people(membership).exclude(pk=membership.pk)
    target = get_object_or_404(others, public_id=public_id, user__is_active=True)
    require_recent_sign_in(request)
    if request.method == "POST":
        roles.hand_over(membership=target, actor=membership.user)
        messages.success(request, f"{target.user} is an owner now, and you an admin.")
        return redirect("accounts:members", membership.organization.slug)
    return render(request, "accounts/hand_over.html", {"target": target})


def _people(membership: Membership) -> QuerySet[Membership]:
    rows = Membership.objects.for_organization(membership.organization)
    return rows.select_related("user", "organization")


def _waiting(request: HttpRequest, membership: Membership) -> dict[str, Any]:
    """Invitations are shown to those who may do something about them."""
    if not membership.may(Right.INVITE):
        return {}
    waiting = invitations.waiting(membership.organization)
    page = _page(request, waiting, "invitations_page", "invitations")
    return {
        **page,
        "invitations": [
            (each, membership.may_give(each.role)) for each in page["invitations"]
        ],
        "now": timezone.now(),
        "form": InviteForm(membership=membership),
    }


def _page(
    request: HttpRequest, rows: QuerySet[Any], parameter: str, name: str
) -> dict[str, Any]:
    page = Paginator(rows, _PER_PAGE).get_page(request.GET.get(parameter))
    urls = numbered_urls(request, page, parameter)
    return {
        name: page,
        f"next_{name}": urls["next_url"],
        f"previous_{name}": urls["previous_url"],
    }


def _rights_of_roles() -> list[tuple[str, list[tuple[str, bool]]]]:
    """The one table of rights: each right in words, and each role with yes or no."""
    return [
        (
            right.label,
            [(role.label, role.value in ROLES_WITH[right]) for role in Membership.Role],
        )
        for right in Right
    ]
