"""The admin's pages about people; and what every admin page of ours keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

# Importing from allauth's admin modules registers their pages, so that there is
# something to take away below.
from allauth.mfa.admin import Authenticator
from allauth.usersessions.admin import UserSession
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Count, Model
from django.forms import BaseInlineFormSet

from accounts.models import Membership, Organization, User
from accounts.rights import ROLES_WITH, Right

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
    MembershipForms = BaseInlineFormSet[Membership, Organization, Any]
else:
    # Django's admin classes take type arguments in its type stubs alone.
    class _TakesTypes:
        def __class_getitem__(cls, _: object) -> type:
            return cls

    class ModelAdmin(_TakesTypes, admin.ModelAdmin):
        pass

    class TabularInline(_TakesTypes, admin.TabularInline):
        pass

    MembershipForms = BaseInlineFormSet


M = TypeVar("M", bound=Model)

# What Django's own filters and its date hierarchy append to a field's name.
_FILTER_ENDINGS = (
    "",
    "__exact",
    "__id__exact",
    "__isnull",
    "__gte",
    "__lt",
    "__year",
    "__month",
    "__day",
)

# No database counts its rows this far.
_LONG_NUMBER = 19


class StrictAdmin(ModelAdmin[M]):
    """A model's pages that answer to their own filters and to nothing else.

    Stock pages take any column of their table in the query, so that
    `?sealed_client_secret__startswith=` would tell a secret letter by letter.
    """

    show_full_result_count = False
    # An organization's pages are for its members, and staff need not be one.
    view_on_site = False

    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        filters = self.get_list_filter(request) if request else self.list_filter
        names = [_parameter(entry) for entry in filters]
        if self.date_hierarchy:
            names.append(self.date_hierarchy)
        return lookup in {name + ending for name in names for ending in _FILTER_ENDINGS}

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[M], *args: Any
    ) -> HttpResponse | None:
        """Stock pages end as 500 when what was picked can be no row's number."""
        picked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(pk.isdecimal() and len(pk) < _LONG_NUMBER for pk in picked):
            raise BadRequest
        return super().response_action(request, queryset, *args)


def _parameter(entry: Any) -> str:
    """The parameter of one entry of `list_filter`."""
    if isinstance(entry, type) and issubclass(entry, SimpleListFilter):
        return entry.parameter_name or ""
    return str(entry[0] if isinstance(entry, tuple | list) else entry)


class ReadOnlyAdmin(StrictAdmin[M]):
    """Rows that tell what happened: changing them by hand would make them lie."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: M | None = None
    ) -> list[str]:
        return [
            str(name) for name in flatten_fieldsets(self.get_fieldsets(request, obj))
        ]


def staff(request: HttpRequest) -> User:
    """Who acts: behind the admin's door somebody is always signed in."""
    assert isinstance(request.user, User)
    return request.user


class MembershipFormSet(MembershipForms):
    """Operators too leave no organization without an owner."""

    def clean(self) -> None:
        super().clean()
        rows = [form.cleaned_data for form in self.forms if form.is_valid()]
        kept = [row for row in rows if row and not row.get("DELETE")]
        owners = [row for row in kept if row["role"] in ROLES_WITH[Right.OWN]]
        if rows and not owners:
            raise ValidationError("An organization needs an owner.")


class MembershipInline(TabularInline[Membership, Organization]):
    model = Membership
    formset = MembershipFormSet
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Organization)
class OrganizationAdmin(StrictAdmin[Organization]):
    list_display = ("name", "slug", "members", "is_active", "created_at")
    search_fields = ("name", "slug", "memberships__user__email")
    list_filter = ("is_active", "created_at")
    fields = ("name", "slug", "is_active", "created_at")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        rows = super().get_queryset(request)
        return rows.annotate(members=Count("memberships", distinct=True))

    def get_readonly_fields(
        self, request: HttpRequest, obj: Organization | None = None
    ) -> tuple[str, ...]:
        # The slug is in every address that people keep.
        return ("created_at", "slug") if obj else ("created_at",)

    @admin.display(ordering="members")
    def members(self, organization: Organization) -> int:
        count: int = organization.members  # type: ignore[attr-defined]  # annotated
        return count


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
