"""The linked sites of an organization, and one of them with its spaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import Case, Value, When
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.paging import numbered_urls
from accounts.tenancy import member_view
from confluence_link import linking
from confluence_link.linking.states import PENDING_LIFE
from confluence_link.models import (
    Grant,
    LinkedSite,
    OAuthApp,
    PendingLink,
    database_now,
)
from confluence_link.views.paging import slice_urls
from confluence_link.views.site_card import link_url, site_card
from confluence_link.views.site_page import Visit, site_page
from confluence_link.views.vacant_sites import vacant_cards

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership, Organization

_SITES_PER_PAGE = 30


@require_safe
@member_view
def linked_sites(request: HttpRequest, membership: Membership) -> HttpResponse:
    organization = membership.organization
    paginator = Paginator(_in_order_of_need(membership), _SITES_PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "organization": organization,
        "cards": [site_card(site, membership) for site in page],
        "count": paginator.count,
        "vacant_cards": vacant_cards(membership) if page.number == 1 else [],
        "link_buttons": _link_buttons(organization),
        "pending": _pending_link(request, membership),
        **numbered_urls(request, page),
    }
    return render(request, "confluence_link/linked_sites.html", context)


@require_safe
@site_page("confluence_link/linked_site.html")
def linked_site(visit: Visit) -> dict[str, Any]:
    spaces = visit.client.spaces_slice(cursor=visit.cursor)
    return {"spaces": spaces.items, **slice_urls(visit.request, spaces.next_cursor)}


def _in_order_of_need(membership: Membership) -> QuerySet[LinkedSite]:
    """What somebody must act on comes first, then by name."""
    needs = When(grant__status=Grant.Status.RECONNECT_NEEDED, then=Value(0))
    return LinkedSite.objects.visible_to(membership).order_by(
        Case(needs, default=Value(1)), "name", "pk"
    )


def _link_buttons(organization: Organization) -> list[dict[str, Any]]:
    apps = OAuthApp.objects.for_organization(organization)
    return [{"app": app, "url": link_url(app, organization)} for app in apps]


def _pending_link(request: HttpRequest, membership: Membership) -> PendingLink | None:
    """A consent that still waits for the confirm page, of this very session."""
    return (
        PendingLink.objects.for_organization(membership.organization)
        .filter(
            user=membership.user_id,
            session_hash=linking.digest(request.session.session_key or ""),
            created_at__gt=database_now() - PENDING_LIFE,
        )
        .select_related("oauth_app")
        .defer("sealed_token_set")
        .order_by("-created_at")
        .first()
    )
