"""Linked sites: which organization uses which site, through whose grant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from accounts.admin import staff
from confluence_link import linking
from confluence_link.admin.confirmation import ActingAdmin, confirmed
from confluence_link.admin.filters import LastErrorFilter
from confluence_link.admin.wording import account_name, moment
from confluence_link.models import LinkedSite

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

# The word for a person of each `LinkedSite.condition`.
_CONDITIONS = {
    "connected": "connected",
    "trouble": "having trouble",
    "reconnect_needed": "reconnect needed",
    "lost": "lost",
    "paused": "paused",
    "disconnected": "disconnected",
}


class GrantStatusFilter(admin.ChoicesFieldListFilter):
    """Beside the site's own status, so under another name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "status of the grant"


@admin.register(LinkedSite)
class LinkedSiteAdmin(ActingAdmin[LinkedSite]):
    list_display = (
        "name",
        "condition_in_words",
        "organization",
        "shared",
        "account",
        "oauth_app",
        "linked_by",
        "linked_at",
        "last_error",
    )
    list_filter = (
        "status",
        "shared",
        ("grant__status", GrantStatusFilter),
        "grant__oauth_app",
        "organization",
        ("grant__last_error", LastErrorFilter),
    )
    search_fields = (
        "name",
        "label",
        "url",
        "site_id",
        "public_id",
        "organization__name",
        "grant__account_name",
        "grant__account_id",
        "linked_by__email",
    )
    list_select_related = ("organization", "grant__oauth_app__health", "linked_by")
    fields = (
        "name",
        "label",
        "condition_in_words",
        "url",
        "site_id",
        "public_id",
        "organization",
        "shared",
        "grant",
        "account",
        "oauth_app",
        "linked_by",
        "linked_at",
    )
    actions = ("unlink",)

    def in_words(self, row: LinkedSite) -> str:
        return f"{row} of {row.organization}"

    @admin.display(description="status", ordering="status")
    def condition_in_words(self, linked_site: LinkedSite) -> str:
        return _CONDITIONS[linked_site.condition]

    @admin.display(ordering="grant__account_name")
    def account(self, linked_site: LinkedSite) -> str:
        return account_name(linked_site.grant)

    @admin.display(description="linked at", ordering="created_at")
    def linked_at(self, linked_site: LinkedSite) -> str:
        return moment(linked_site.created_at)

    @admin.display(description="OAuth app", ordering="grant__oauth_app__name")
    def oauth_app(self, linked_site: LinkedSite) -> str:
        return linked_site.grant.oauth_app.name

    @admin.display(ordering="grant__last_error")
    def last_error(self, linked_site: LinkedSite) -> str:
        return linked_site.grant.last_error or "-"

    @confirmed(
        label="Unlink",
        consequence="The site stops working for its organization. With the last linked"
        " site of a grant its sealed tokens are erased at once. The consent itself"
        " stays at Atlassian until the person or an administrator there ends it.",
    )
    def unlink(self, request: HttpRequest, queryset: QuerySet[LinkedSite]) -> None:
        sites = list(queryset)
        for site in sites:
            linking.unlink(linked_site=site, actor=staff(request))
        self.message_user(request, f"Sites unlinked: {len(sites)}.")
