"""What all pages of one linked site share: its head, a client, calm errors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.tenancy import member_view
from confluence_link.client import ConfluenceClient
from confluence_link.errors import ConfluenceLinkError, Rejected
from confluence_link.http import Deadline
from confluence_link.models import LinkedSite
from confluence_link.views.outcomes import trouble_of
from confluence_link.views.site_card import site_card

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest

    from accounts.models import Membership

# Nobody looks at an empty page for longer; then it says what is wrong.
PAGE_SECONDS = 10

P = ParamSpec("P")
# A page's own context, or a response that takes its place.
Content: TypeAlias = "Mapping[str, object] | HttpResponse"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a member for one linked site, with the site's client."""

    request: HttpRequest
    membership: Membership
    site: LinkedSite
    client: ConfluenceClient

    @property
    def cursor(self) -> str:
        return self.request.GET.get("cursor", "")


def site_of(membership: Membership, public_id: str) -> LinkedSite:
    """A linked site that the member may open.

    Http404 alike for a foreign one, another member's own, and none.
    """
    sites = LinkedSite.objects.usable_by(membership)
    return get_object_or_404(sites, public_id=public_id)


def site_context(site: LinkedSite, membership: Membership) -> dict[str, Any]:
    return {
        "organization": membership.organization,
        "site": site,
        "card": site_card(site, membership),
    }


def site_page(
    template: str,
) -> Callable[
    [Callable[Concatenate[Visit, P], Content]],
    Callable[..., HttpResponse],
]:
    """Makes a view of a function that asks Confluence and returns its context.

    An error of the call leaves the page standing, with the trouble's words where
    the answer would have been.
    """

    def decorate(
        ask: Callable[Concatenate[Visit, P], Content],
    ) -> Callable[..., HttpResponse]:
        @member_view
        @wraps(ask)
        def page(
            request: HttpRequest,
            membership: Membership,
            public_id: str,
            *args: P.args,
            **kwargs: P.kwargs,
        ) -> HttpResponse:
            site = site_of(membership, public_id)
            context = {**site_context(site, membership), **kwargs}
            try:
                deadline = Deadline(PAGE_SECONDS)
                with ConfluenceClient.for_linked_site(
                    site, deadline=deadline
                ) as client:
                    visit = Visit(request, membership, site, client)
                    content = ask(visit, *args, **kwargs)
            except ConfluenceLinkError as error:
                return broken_page(request, template, context, error)
            if isinstance(content, HttpResponse):
                return content
            return render(request, template, {**context, **content})

        return page

    return decorate


def broken_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, object],
    error: ConfluenceLinkError,
) -> HttpResponse:
    """The same page with the words for an error in the place of its content."""
    trouble = trouble_of(error)
    # A cursor is the address's own part of a request; Confluence is well then.
    is_made_up = isinstance(error, Rejected) and bool(request.GET.get("cursor"))
    status = 400 if is_made_up else trouble.status
    response = render(request, template, {**context, "trouble": trouble}, status=status)
    if trouble.retry_after_seconds is not None:
        response["Retry-After"] = str(trouble.retry_after_seconds)
    return response
