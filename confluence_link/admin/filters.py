"""Filters of lists that Django's own do not draw well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import AllValuesFieldListFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin.views.main import ChangeList


class LastErrorFilter(AllValuesFieldListFilter):
    """Every error that is there; those without one are "none", not an empty link."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "none"}
