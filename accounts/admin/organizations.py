"""The admin's pages about organizations, and who may come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.forms.models import BaseInlineFormSet
from django.utils import timezone

from accounts import owners
from accounts.admin.strict import ReadOnlyAdmin, StrictAdmin, TabularInline, staff
from accounts.happenings import tell
from accounts.models import Invitation, Membership, Organization, ServiceKey
from accounts.rights import ROLES_WITH, Right

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class MembershipFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # in stubs alone
    """Leaves no organization without an owner."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        # Another person is another membership: what is theirs must not pass on.
        form.fields["user"].disabled = form.instance.pk is not None

    def clean(self) -> None:
        super().clean()
        if not any(self.errors) and not self._owners():
            raise ValidationError("An organization needs an owner.")

    def _owners(self) -> set[Any]:
        """Who owns it after this form, whatever others changed since it was drawn."""
        stay: set[Any] = set()
        if self.instance.pk:
            owners.lock(self.instance)
            rows = Membership.objects.for_organization(self.instance)
            now = rows.filter(role__in=ROLES_WITH[Right.OWN])
            stay = set(now.values_list("pk", flat=True))
        for form in self.forms:
            leaves = form.cleaned_data.get("DELETE", False)
            if leaves or form.has_changed():
                stay.discard(form.instance.pk or form)
            if not leaves and form.cleaned_data.get("role") in ROLES_WITH[Right.OWN]:
                stay.add(form.instance.pk or form)
        return stay


class MembershipInline(TabularInline[Membership, Organization]):
    model = Membership
    formset = MembershipFormSet
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Organization)
class OrganizationAdmin(StrictAdmin[Organization]):
    list_display = ("name", "slug", "members", "is_active", "created_at")
    search_fields = ("name", "slug", "memberships__user__email")
    # Said here, too: counting members would forget the model's own.
    ordering = ("name",)
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

    def save_model(
        self, request: HttpRequest, obj: Organization, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            _tell(request, "organization.created", obj, name=obj.name)
        elif "name" in form.changed_data:
            was = form.initial["name"]
            _tell(request, "organization.changed", obj, name=obj.name, was=was)

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        forms = formset.initial_forms
        was = {each.instance.pk: each.initial["role"] for each in forms}
        super().save_formset(request, form, formset, change)
        for row in formset.new_objects:
            who, role = row.user.email, row.role
            _tell(request, "member.joined", row.organization, who=who, role=role)
        for row, fields in formset.changed_objects:
            if "role" in fields:
                facts = {"who": row.user.email, "role": row.role, "was": was[row.pk]}
                _tell(request, "member.role_changed", row.organization, **facts)

    @admin.display(ordering="members")
    def members(self, organization: Organization) -> int:
        count: int = organization.members  # type: ignore[attr-defined]  # annotated
        return count


def _tell(
    request: HttpRequest, kind: str, organization: Organization, **facts: Any
) -> None:
    tell(kind, organization=organization, actor=staff(request), **facts)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    """Who is asked in by whom. The token's hash is not shown: it is half a way in."""

    list_display = ("email", "organization", "role", "created_at", "state")
    list_filter = ("role", "created_at", "organization")
    list_select_related = ("organization", "invited_by")
    search_fields = ("email", "organization__name", "invited_by__email")
    fields = (
        "organization",
        "email",
        "role",
        "invited_by",
        "created_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
    )

    @admin.display(description="State")
    def state(self, invitation: Invitation) -> str:
        if invitation.accepted_at:
            return "accepted"
        if invitation.revoked_at:
            return "revoked"
        return "expired" if invitation.expires_at <= timezone.now() else "open"


@admin.register(ServiceKey)
class ServiceKeyAdmin(ReadOnlyAdmin[ServiceKey]):
    """Keys of services, by what they begin with. Neither key nor hash is shown."""

    list_display = (
        "name",
        "prefix",
        "organization",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    list_filter = ("created_at", "last_used_at", "organization")
    list_select_related = ("organization",)
    search_fields = ("name", "prefix", "organization__name")
    fields = (
        "organization",
        "name",
        "prefix",
        "scopes",
        "created_by",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
