"""Events: what happened to what, by whom. Nobody edits a record."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from confluence_link.admin.wording import account_name, moment
from confluence_link.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin[Event]):
    list_display = (
        "when",
        "kind",
        "organization",
        "who",
        "oauth_app",
        "grant_in_words",
        "facts_in_words",
    )
    list_filter = ("kind", "oauth_app", "organization", "notice")
    search_fields = (
        "organization__name",
        "actor__email",
        "grant__account_name",
        "grant__account_id",
        "grant__public_id",
    )
    date_hierarchy = "at"
    list_select_related = ("organization", "actor", "oauth_app", "grant")
    fields = (
        "when",
        "kind",
        "organization",
        "who",
        "oauth_app",
        "grant",
        "facts_in_words",
        "notice",
    )

    @admin.display(description="at", ordering="at")
    def when(self, event: Event) -> str:
        return moment(event.at)

    @admin.display(description="by", ordering="actor__email")
    def who(self, event: Event) -> str:
        return str(event.actor) if event.actor else "a worker"

    @admin.display(description="account", ordering="grant__account_name")
    def grant_in_words(self, event: Event) -> str:
        return account_name(event.grant) if event.grant else "-"

    @admin.display(description="facts")
    def facts_in_words(self, event: Event) -> str:
        facts = (f"{name}: {_text(fact)}" for name, fact in event.facts.items())
        return "; ".join(facts) or "-"


def _text(fact: object) -> str:
    return ", ".join(map(str, fact)) if isinstance(fact, list) else str(fact)
