"""Which organization a request acts for, and with which role."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.http import Http404

from accounts.models import Membership, User

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


def membership_of(user: User, slug: str) -> Membership:
    """The person's membership in the organization with this slug, read now.

    Raises Http404, the same for a foreign organization and for none.
    """
    try:
        return Membership.objects.select_related("organization").get(
            user=user, organization__slug=slug
        )
    except Membership.DoesNotExist:
        raise Http404 from None


def member_view(
    view: Callable[..., HttpResponse],
) -> Callable[..., HttpResponse]:
    """Gives a view under `/o/<slug>/` the membership in place of the slug."""

    @wraps(view)
    def with_membership(
        request: HttpRequest, slug: str, *args: str, **kwargs: str
    ) -> HttpResponse:
        assert isinstance(request.user, User)
        return view(request, membership_of(request.user, slug), *args, **kwargs)

    return login_required(with_membership)
