"""Deleting people and organizations: through the flows that erase what was sealed.

The stock pages would refuse, because nobody deletes linked sites or grants by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages

from accounts import admin as accounts_admin
from accounts.admin import staff
from accounts.models import Organization, User
from confluence_link.linking import deleting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest

admin.site.unregister((Organization, User))


@admin.register(Organization)
class OrganizationAdmin(accounts_admin.OrganizationAdmin):
    """Deactivating keeps everything; deleting erases it."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        named, counts, _, _ = super().get_deleted_objects(objs, request)
        return named, counts, set(), []

    def delete_model(self, request: HttpRequest, obj: Organization) -> None:
        deleting.delete_organization(organization=obj, actor=staff(request))

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[Organization]
    ) -> None:
        for organization in queryset:
            self.delete_model(request, organization)


@admin.register(User)
class UserAdmin(accounts_admin.UserAdmin):
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        named, counts, _, _ = super().get_deleted_objects(objs, request)
        return named, counts, set(), _blocking(objs)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        try:
            deleting.delete_person(user=obj)
        except deleting.OnlyOwner as only:
            # Somebody else stopped being an owner since the page asked.
            self.message_user(request, "; ".join(_named(only)), messages.ERROR)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)


def _blocking(people: Sequence[User]) -> list[str]:
    """Shown as what protects them: organizations that nobody else owns."""
    return [
        f"{organization}: {user} is the only owner and others are members"
        for user in people
        for organization in deleting.preview(user).blocking
    ]


def _named(only: deleting.OnlyOwner) -> list[str]:
    return [f"{organization} has no other owner" for organization in only.organizations]
