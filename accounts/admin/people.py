"""The admin's pages about people, and what they sign in with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# Importing from allauth's admin modules registers their pages, so that there is
# something to take away below.
from allauth.mfa.admin import Authenticator
from allauth.usersessions.admin import UserSession
from django.contrib import admin

from accounts.admin.strict import ReadOnlyAdmin, StrictAdmin
from accounts.models import User

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


@admin.register(User)
class UserAdmin(StrictAdmin[User]):
    """People sign up themselves, and set a password over the reset mail.

    So nobody is added here and no password is seen or set; an address would be
    taken over unverified if it could be edited.
    """

    list_display = (
        "email",
        "first_name",
        "last_name",
        "is_active",
        "is_staff",
        "last_login",
        "date_joined",
    )
    list_filter = (
        "is_active",
        "is_staff",
        "is_superuser",
        "memberships__organization",
    )
    search_fields = (
        "email",
        "first_name",
        "last_name",
        "memberships__organization__name",
    )
    ordering = ("email",)
    fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name")}),
        (
            "May",
            {
                "fields": (
                    "is_active",
                    "is_staff",
                    "is_superuser",
                    "groups",
                    "user_permissions",
                )
            },
        ),
        ("When", {"fields": ("last_login", "date_joined")}),
    )
    filter_horizontal = ("groups", "user_permissions")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        fixed = ("email", "last_login", "date_joined")
        if request.user.is_superuser:
            return fixed
        # Who may edit people may not thereby raise themselves.
        return (*fixed, "is_staff", "is_superuser", "groups", "user_permissions")


# The stock pages show a session's key, which is as good as its cookie, and a second
# factor's secret.
admin.site.unregister(UserSession)
admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class SecondFactorAdmin(ReadOnlyAdmin[Any]):
    """What a person signs in with besides the password: that it is there, not what.

    It may be deleted, for somebody who lost it.
    """

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return super(ReadOnlyAdmin, self).has_delete_permission(request, obj)
