"""An action that asks first: the first POST shows what it would do, the second does.

Whoever may change a kind of row may act on it, although nobody edits it by hand.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_permission_codename
from django.template.response import TemplateResponse

from accounts.admin import M, ReadOnlyAdmin

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

# So many names are shown; the rest is a number.
NAMED = 20


class Act(Protocol):
    """What is done after the confirmation; it reports by `message_user`."""

    __name__: str

    def __call__(
        self, page: Any, request: HttpRequest, queryset: QuerySet[Any], /
    ) -> None: ...


class ActingAdmin(ReadOnlyAdmin[M]):
    """A read-only page with actions; who may act is said by the change permission."""

    change_form_template = "admin/confluence_link/acting_change_form.html"

    def has_act_permission(self, request: HttpRequest) -> bool:
        codename = get_permission_codename("change", self.opts)
        return bool(request.user.has_perm(f"{self.opts.app_label}.{codename}"))

    def in_words(self, row: M) -> str:
        """How the confirmation names a row."""
        return str(row)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offers the actions on the row's own page too."""
        context["row_actions"] = self.get_action_choices(request, [])
        return super().render_change_form(request, context, *args, **kwargs)


def confirmed(
    *, label: str, consequence: str, at_most: int | None = None
) -> Callable[[Act], Any]:
    """Makes an admin action of a function; `consequence` is what the page tells."""

    def decorate(act: Act) -> Any:
        @admin.action(permissions=["act"], description=label)
        @wraps(act)
        def action(
            page: ActingAdmin[Any], request: HttpRequest, queryset: QuerySet[Any]
        ) -> HttpResponse | None:
            count = queryset.count()
            if at_most is not None and count > at_most:
                page.message_user(
                    request,
                    f"At most {at_most} at a time; {count} were selected.",
                    "error",
                )
            elif "confirmed" in request.POST:
                act(page, request, queryset)
            else:
                return _question(
                    page,
                    request,
                    queryset,
                    action=act.__name__,
                    label=label,
                    consequence=consequence,
                    count=count,
                )
            return None

        return action

    return decorate


def _question(
    page: ActingAdmin[Any],
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    action: str,
    label: str,
    consequence: str,
    count: int,
) -> HttpResponse:
    context = {
        **page.admin_site.each_context(request),
        "title": label,
        "consequence": consequence,
        "opts": page.opts,
        "count": count,
        "named": [page.in_words(row) for row in queryset[:NAMED]],
        "unnamed": max(0, count - NAMED),
        "action": action,
        "select_across": request.POST.get("select_across", "0"),
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/confluence_link/confirm.html", context)
