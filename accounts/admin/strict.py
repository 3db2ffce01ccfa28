"""What every admin page of ours keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import BadRequest
from django.db.models import Model

from accounts.models import User

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
else:
    # Django's admin classes take type arguments in its type stubs alone.
    class _TakesTypes:
        def __class_getitem__(cls, _: object) -> type:
            return cls

    class ModelAdmin(_TakesTypes, admin.ModelAdmin):
        pass

    class TabularInline(_TakesTypes, admin.TabularInline):
        pass


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
# Nor those of a table that others point to, whose numbers may be of 32 bits.
_LONG_RELATED_NUMBER = 10


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

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Stock pages end as 500 when a related row is named by no number."""
        models = (self.model, *(inline.model for inline in self.inlines))
        names = {name for model in models for name in _related(model)}
        for given in (request.GET, request.POST):
            for name, values in given.lists():
                # Rows of an inline are called `memberships-0-user`.
                if name.rpartition("-")[2] in names and not all(map(_is_one, values)):
                    raise BadRequest
        return super().changeform_view(request, *args, **kwargs)


def _related(model: type[Model]) -> set[str]:
    """The names of fields that hold numbers of rows."""
    fields = (*model._meta.fields, *model._meta.many_to_many)
    return {field.name for field in fields if field.is_relation or field.primary_key}


def _is_one(value: str) -> bool:
    """Nothing at all, or a number that a row may have."""
    return not value or (value.isdecimal() and len(value) < _LONG_RELATED_NUMBER)


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
