"""Sites whose linker left: who takes them over, and letting them go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db.models import Case, Value, When
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.rights import Right
from accounts.tenancy import with_right
from confluence_link.forms import AdopterForm, posted
from confluence_link.linking import vacant_sites
from confluence_link.models import OAuthApp, VacantSite
from confluence_link.views.site_card import link_url

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership

# More than a few are work for an afternoon; the rest comes as these are done.
SHOWN = 30


@dataclass(frozen=True, slots=True)
class VacantCard:
    """`link_url` is empty for whoever is not asked, or where nobody can link now."""

    site: VacantSite
    is_for_reader: bool
    link_url: str


def vacant_cards(membership: Membership) -> list[VacantCard]:
    """What waits for the reader first."""
    organization = membership.organization
    apps = OAuthApp.objects.for_organization(organization)
    usable = set(apps.values_list("pk", flat=True))
    others = Case(When(adopter=membership.user_id, then=Value(0)), default=Value(1))
    rows = VacantSite.objects.for_organization(organization)
    cards = []
    for site in rows.order_by(others, "name", "pk")[:SHOWN]:
        is_for_reader = site.adopter_id == membership.user_id
        may_link = is_for_reader and site.oauth_app_id in usable
        url = link_url(site.oauth_app, organization, adopt=site.public_id)
        cards.append(VacantCard(site, is_for_reader, url if may_link else ""))
    return cards


@require_http_methods(["GET", "POST"])
@with_right(Right.REMOVE_MEMBERS)
def name_adopter(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    vacant_site = _vacant_site(membership, public_id)
    form = AdopterForm(posted(request), vacant_site=vacant_site)
    if form.is_valid():
        vacant_sites.name_adopter(
            vacant_site=vacant_site, adopter=form.adopter, actor=membership.user
        )
        asked = f"{form.adopter.user} is asked by mail." if form.adopter else ""
        messages.success(request, asked or "Nobody is asked at the moment.")
        return redirect("confluence_link:linked_sites", membership.organization.slug)
    context = {"vacant_site": vacant_site, "form": form}
    return render(request, "confluence_link/name_adopter.html", context)


@require_http_methods(["GET", "POST"])
@with_right(Right.UNLINK_OTHERS)
def drop_vacant_site(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    vacant_site = _vacant_site(membership, public_id)
    if request.method == "POST":
        vacant_sites.drop(vacant_site=vacant_site, actor=membership.user)
        messages.success(request, f"{vacant_site} is removed.")
        return redirect("confluence_link:linked_sites", membership.organization.slug)
    context = {"vacant_site": vacant_site}
    return render(request, "confluence_link/drop_vacant_site.html", context)


def _vacant_site(membership: Membership, public_id: str) -> VacantSite:
    rows = VacantSite.objects.for_organization(membership.organization)
    return get_object_or_404(rows, public_id=public_id)
