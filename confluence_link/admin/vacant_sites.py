"""Vacant sites: what waits for somebody who links it again."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from confluence_link.admin.wording import moment
from confluence_link.models import VacantSite


@admin.register(VacantSite)
class VacantSiteAdmin(ReadOnlyAdmin[VacantSite]):
    list_display = (
        "name",
        "organization",
        "oauth_app",
        "former",
        "adopter",
        "shared",
        "left_at",
    )
    list_filter = ("shared", "oauth_app", "organization")
    list_select_related = ("organization", "oauth_app", "former", "adopter")
    search_fields = (
        "name",
        "label",
        "url",
        "public_id",
        "organization__name",
        "former__email",
        "adopter__email",
    )
    fields = (
        "name",
        "label",
        "url",
        "site_id",
        "public_id",
        "organization",
        "oauth_app",
        "shared",
        "former",
        "adopter",
        "left_at",
    )

    @admin.display(description="without an account since", ordering="vacated_at")
    def left_at(self, vacant_site: VacantSite) -> str:
        return moment(vacant_site.vacated_at)
