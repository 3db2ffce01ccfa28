"""What was mailed to be used once: who asked whom, and what came of it.

Neither a token nor its hash is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Case, CharField, Value, When
from django.db.models.functions import Now

from accounts.admin import ReadOnlyAdmin
from confluence_link.admin.wording import moment
from confluence_link.models import LinkInvitation, ServerSetup

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

_STATE = Case(
    When(used_at__isnull=False, then=Value("used")),
    When(revoked_at__isnull=False, then=Value("revoked")),
    When(expires_at__lte=Now(), then=Value("expired")),
    default=Value("open"),
    output_field=CharField(),
)


class SingleUseAdmin(ReadOnlyAdmin[Any]):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        with_state: QuerySet[Any] = rows.annotate(state_in_words=_STATE)
        return with_state

    @admin.display(ordering="state_in_words")
    def state(self, row: Any) -> str:
        return str(row.state_in_words)

    @admin.display(description="sent", ordering="created_at")
    def sent_at(self, row: Any) -> str:
        return moment(row.created_at)

    @admin.display(description="ends", ordering="expires_at")
    def ends_at(self, row: Any) -> str:
        return moment(row.expires_at)


@admin.register(LinkInvitation)
class LinkInvitationAdmin(SingleUseAdmin):
    list_display = (
        "user",
        "organization",
        "oauth_app",
        "vacant_site",
        "invited_by",
        "sent_at",
        "ends_at",
        "state",
    )
    list_filter = ("oauth_app", "organization")
    list_select_related = (
        "user",
        "organization",
        "oauth_app",
        "vacant_site",
        "invited_by",
    )
    search_fields = ("user__email", "invited_by__email", "organization__name")
    fields = (
        "user",
        "organization",
        "oauth_app",
        "vacant_site",
        "invited_by",
        "sent_at",
        "ends_at",
        "used_at",
        "revoked_at",
        "state",
    )


@admin.register(ServerSetup)
class ServerSetupAdmin(SingleUseAdmin):
    list_display = (
        "oauth_app",
        "organization",
        "email",
        "invited_by",
        "sent_at",
        "ends_at",
        "state",
    )
    list_filter = ("oauth_app", "organization")
    list_select_related = ("oauth_app", "organization", "invited_by")
    search_fields = (
        "email",
        "invited_by__email",
        "organization__name",
        "oauth_app__name",
    )
    fields = (
        "oauth_app",
        "organization",
        "email",
        "invited_by",
        "sent_at",
        "ends_at",
        "used_at",
        "revoked_at",
        "state",
    )
