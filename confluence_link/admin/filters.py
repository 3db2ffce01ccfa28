"""Filters of lists that Django's own do not draw well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import AllValuesFieldListFilter, SimpleListFilter

from confluence_link import forecast
from confluence_link.models import database_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from confluence_link.models import Grant


class LastErrorFilter(AllValuesFieldListFilter):
    """Every error that is there; those without one are "none", not an empty link."""

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
