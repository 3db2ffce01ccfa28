"""Filters of lists that Django's own do not draw well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import AllValuesFieldListFilter, SimpleListFilter

from confluence_link import forecast
from confluence_link.models import Grant, database_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest


class LastErrorFilter(AllValuesFieldListFilter):
    """Every error that is there; those without one are "none", not an empty link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not looked for among all that are well: there may be a million of them.
        unwell = Grant.objects.exclude(last_error="").order_by("last_error")
        failing = unwell.filter(status=Grant.Status.ACTIVE)
        at_rest = unwell.exclude(status=Grant.Status.ACTIVE)
        errors = {
            error
            for rows in (failing, at_rest)
            for error in rows.values_list("last_error", flat=True).distinct()
        }
        choices: Any = ["", *sorted(errors)]
        self.lookup_choices = choices

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "none"}


class EndsSoonFilter(SimpleListFilter):
    """Grants that end if nobody reconnects, from when their people are told on."""

    title = "ends"
    parameter_name = "ends"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("soon", f"within {forecast.SOON.days} days")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Grant]
    ) -> QuerySet[Grant]:
        if self.value() != "soon":
            return queryset
        return queryset.filter(forecast.ends_soon(database_now()))
