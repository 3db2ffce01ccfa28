"""Which organization a request acts for, and with which role and rights."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.isolation import acting_for
from accounts.models import Membership, Organization, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest, HttpResponse

    from accounts.rights import Right


# In the session: the organization whose pages were seen last.
_LAST_USED = "organization"


def membership_of(user: User, slug: str) -> Membership:
    """The person's membership in the active organization with this slug, read now.

    Raises Http404, the same for a foreign organization and for none.
    """
    try:
        return Membership.objects.select_related("organization", "user").get(
            user=user, organization__slug=slug, organization__is_active=True
        )
    except Membership.DoesNotExist:
        raise Http404 from None


@contextmanager
def acting_as(request: HttpRequest, membership: Membership) -> Iterator[None]:
    """Within it, the request acts for the organization, and its page shows that.

    Templates find the membership by `request.membership`.
    """
    organization_id = membership.organization_id
    request.membership = membership  # type: ignore[attr-defined]  # for templates
    if request.session.get(_LAST_USED) != organization_id:
        request.session[_LAST_USED] = organization_id
    with acting_for(organization_id=organization_id, user_id=membership.user_id):
        yield


def member_view(
    view: Callable[..., HttpResponse],
) -> Callable[..., HttpResponse]:
    """Gives a view under `/o/<slug>/` the membership in place of the slug.

    What the view asks the database is asked for that organization alone.
    """

    @wraps(view)
    def with_membership(
        request: HttpRequest, slug: str, *args: str, **kwargs: str
    ) -> HttpResponse:
        assert isinstance(request.user, User)
        membership = membership_of(request.user, slug)
        with acting_as(request, membership):
            return view(request, membership, *args, **kwargs)

    return login_required(with_membership)


def last_used(request: HttpRequest) -> Organization | None:
    """The organization of the page seen last in this session, or else their first."""
    assert isinstance(request.user, User)
    own = Organization.objects.of(request.user).order_by("memberships__pk")
    seen_last = request.session.get(_LAST_USED, 0)
    return own.filter(pk=seen_last).first() or own.first()


def with_right(
    right: Right,
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Like `member_view`; members without the right get 403."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @member_view
        @wraps(view)
        def permitted(
            request: HttpRequest, membership: Membership, *args: str, **kwargs: str
        ) -> HttpResponse:
            if not membership.may(right):
                raise PermissionDenied
            return view(request, membership, *args, **kwargs)

        return permitted

    return decorate
