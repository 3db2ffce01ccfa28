"""Who gets which role, from whom.

Every role is read under the lock of `owners`: of two owners who demote each other at
the same moment, the second is no owner any more when it is their turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts import owners
from accounts.happenings import tell
from accounts.models import Membership
from accounts.rights import Right

if TYPE_CHECKING:
    from accounts.models import User

Role = Membership.Role


@transaction.atomic
def change_role(*, membership: Membership, role: str, actor: User) -> None:
    """Raises PermissionDenied, or `owners.NoOwnerLeft`."""
    acting, target = _read_now(membership, actor)
    if not (acting.may_give(target.role) and acting.may_give(role)):
        raise PermissionDenied
    if role == target.role:
        return
    owners.check_one_stays(target)
    _give(target, role, actor)


@transaction.atomic
def hand_over(*, membership: Membership, actor: User) -> None:
    """The member becomes owner, and the owner who acts an admin.

    Raises PermissionDenied if the one is no owner or the other could not sign in.
    """
    acting, target = _read_now(membership, actor)
    if not acting.may(Right.OWN) or target == acting or not target.user.is_active:
        raise PermissionDenied
    if target.role != Role.OWNER:
        _give(target, Role.OWNER, actor)
    _give(acting, Role.ADMIN, actor)


def _read_now(membership: Membership, actor: User) -> tuple[Membership, Membership]:
    """The membership of who acts and the one acted on, as they are under the lock."""
    owners.lock(membership.organization)
    rows = Membership.objects.for_organization(membership.organization_id)
    acting = rows.filter(user=actor).first()
    target = rows.filter(pk=membership.pk).select_related("user").first()
    if acting is None or target is None:
        raise PermissionDenied
    return acting, target


def _give(membership: Membership, role: str, actor: User) -> None:
    was, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    tell(
        "member.role_changed",
        organization=membership.organization,
        actor=actor,
        who=membership.user.email,
        role=role,
        was=was,
    )
