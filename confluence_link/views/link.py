"""Linking in the browser: leave, confirm, unlink. `callback` is what lies between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.socialaccount.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.validators import slug_re
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import Organization, User
from accounts.recent_sign_in import require_recent_sign_in, signed_in_recently
from accounts.tenancy import acting_as, last_used, member_view, membership_of
from confluence_link import atlassian, linking
from confluence_link.errors import LinkRefused
from confluence_link.models import LinkedSite, OAuthApp, VacantSite
from confluence_link.views.outcomes import OUTCOMES, refusal_page
from confluence_link.views.refusals import (
    refuse,
    refuse_for_being_many,
    too_many_starts,
)

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership
    from confluence_link.models import PendingLink
    from confluence_link.provider import ConfluenceProvider


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The short page before leaving; its button leaves."""
    assert isinstance(request.user, User)
    membership = _membership(request, request.user)
    if membership is None:
        # Which says that there is none.
        return redirect("home")
    with acting_as(request, membership):
        return _start(request, membership, provider_id)


def _start(
    request: HttpRequest, membership: Membership, provider_id: str
) -> HttpResponse:
    organization = membership.organization
    oauth_app = get_object_or_404(
        OAuthApp.objects.for_organization(organization), provider_id=provider_id
    )
    reconnect = _reconnect_site(request, membership, oauth_app)
    if request.method == "GET":
        require_recent_sign_in(request)
        return _start_page(request, organization, oauth_app, reconnect)
    if not signed_in_recently(request):
        # Back to the page, which asks: what allauth resumes after asking could not
        # leave for another origin under the policy of allauth's own page.
        return redirect(request.get_full_path())
    if too_many_starts(membership.user):
        return refuse_for_being_many(request, organization, oauth_app)
    provider: ConfluenceProvider = get_adapter().get_provider(request, provider_id)
    data = {
        "user": membership.user_id,
        "organization": organization.pk,
        "reconnect": reconnect.public_id if reconnect else "",
    }
    return provider.redirect(request, process="connect", data=data)


def _membership(request: HttpRequest, user: User) -> Membership | None:
    """In the organization that is named, or else in the one used last."""
    slug = _named(request.POST.get("organization") or request.GET.get("organization"))
    if not slug:
        organization = last_used(request)
        slug = organization.slug if organization else ""
    return membership_of(user, slug) if slug else None


def _named(name: str | None) -> str:
    """A slug or public id of a query, of the form that those in a path have.

    PostgreSQL refuses to look for a NUL.
    """
    if name and not slug_re.match(name):
        raise Http404
    return name or ""


def _reconnect_site(
    request: HttpRequest, membership: Membership, oauth_app: OAuthApp
) -> LinkedSite | None:
    public_id = _named(request.GET.get("reconnect"))
    if not public_id:
        return None
    linked_sites = LinkedSite.objects.usable_by(membership)
    return get_object_or_404(
        linked_sites, public_id=public_id, grant__oauth_app=oauth_app
    )


def _adopt_site(
    request: HttpRequest, organization: Organization, oauth_app: OAuthApp
) -> VacantSite | None:
    """Only words: whoever links the site takes it over."""
    vacant_sites = VacantSite.objects.for_organization(organization)
    public_id = _named(request.GET.get("adopt"))
    return vacant_sites.filter(public_id=public_id, oauth_app=oauth_app).first()


def _start_page(
    request: HttpRequest,
    organization: Organization,
    oauth_app: OAuthApp,
    reconnect: LinkedSite | None,
) -> HttpResponse:
    assert isinstance(request.user, User)
    deployment = atlassian.deployment_for(oauth_app)
    context = {
        "app_name": oauth_app.name,
        "deployment": oauth_app.deployment,
        "organization": organization,
        "organizations": Organization.objects.of(request.user),
        "scopes_in_words": deployment.scopes_in_words(oauth_app.scopes),
        "cancel_url": reverse("confluence_link:linked_sites", args=[organization.slug]),
        "reconnect_site": reconnect,
        "adopt_site": _adopt_site(request, organization, oauth_app),
        "redirect_uri": oauth_app.redirect_uri if request.user.is_staff else "",
    }
    response = render(request, "confluence_link/link_start.html", context)
    # The form is answered with a redirect, and browsers check `form-action` against
    # each one that follows: whoever must sign in first is sent on to hosts that
    # nobody here knows (id.atlassian.com, a company's single sign-on).
    scheme = deployment.authorize_url.partition(":")[0]
    response._csp_update = {"form-action": [f"{scheme}:"]}  # type: ignore[attr-defined]  # csp's
    return response


# Confirming and unlinking
# ------------------------------------------------------------------------------
@never_cache
@member_view
@require_http_methods(["GET", "POST"])
def confirm_link(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    """Account, organization and sites; nothing is active before the button."""
    assert isinstance(request.user, User)
    organization, error = membership.organization, ""
    try:
        pending = linking.pending_link(
            public_id=public_id,
            user=request.user,
            organization=organization,
            session_key=request.session.session_key or "",
        )
        if request.method == "POST":
            _confirm_or_cancel(request, pending, request.user)
            return redirect("confluence_link:linked_sites", organization.slug)
    except LinkRefused as refused:
        if refused.reason != "no_sites_picked":
            told = refuse if request.method == "POST" else refusal_page
            return told(request, refused=refused, organization=organization)
        error = OUTCOMES["no_sites_picked"].happened
    choices = _choices(pending, request.POST.getlist("sites"))
    context = {
        "pending": pending,
        "account_name": pending.account_name,
        "app": pending.oauth_app,
        "organization": organization,
        "choices": choices,
        "any_linked": any(choice["linked"] for choice in choices),
        "for_all": _is_for_all(request),
        "error": error,
    }
    return render(request, "confluence_link/confirm_link.html", context)


def _confirm_or_cancel(request: HttpRequest, pending: PendingLink, user: User) -> None:
    if "cancel" in request.POST:
        linking.cancel(pending=pending)
        messages.info(request, "Nothing was linked.")
        return
    picked = request.POST.getlist("sites")
    linked = linking.confirm(
        pending=pending, site_ids=picked, actor=user, shared=_is_for_all(request)
    )
    names = ", ".join(linked_site.name for linked_site in linked)
    messages.success(request, f"Linked: {names}. Open a site to see its spaces.")


def _is_for_all(request: HttpRequest) -> bool:
    """Whether what is linked is shared. So it is unless the person says otherwise."""
    return request.POST.get("who", "all") == "all"


def _choices(pending: PendingLink, picked: list[str]) -> list[dict[str, Any]]:
    """The sites to pick from; one is preselected only if there is only one."""
    linked = set(
        LinkedSite.objects.for_organization(pending.organization)
        .filter(
            grant__oauth_app=pending.oauth_app,
            grant__account_id=pending.account_id,
        )
        .values_list("site_id", flat=True)
    )
    vacant_sites = VacantSite.objects.for_organization(pending.organization)
    vacant = vacant_sites.filter(oauth_app=pending.oauth_app).values_list(
        "site_id", "adopter"
    )
    waiting = {site_id for site_id, _ in vacant}
    for_them = {site_id for site_id, adopter in vacant if adopter == pending.user_id}
    checked = linked | for_them | set(picked)
    only = len(pending.sites) == 1
    return [
        {
            **site,
            "linked": site["site_id"] in linked,
            "vacant": site["site_id"] in waiting - linked,
            "asked_for": site["site_id"] in linked & for_them,
            "checked": only or site["site_id"] in checked,
        }
        for site in pending.sites
    ]


@never_cache
@member_view
@require_http_methods(["GET", "POST"])
def unlink(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    """What stops, then the stop."""
    assert isinstance(request.user, User)
    organization = membership.organization
    linked_sites = LinkedSite.objects.visible_to(membership)
    linked_site = get_object_or_404(linked_sites, public_id=public_id)
    if not linked_site.may_be_unlinked_by(membership):
        raise PermissionDenied
    require_recent_sign_in(request)
    deployment = atlassian.deployment_for(linked_site.grant.oauth_app)
    context = {
        "linked_site": linked_site,
        "site_name": str(linked_site),
        "organization": organization,
        # Told to its own person alone: others would learn of other organizations.
        "is_last": linked_site.grant.user_id == membership.user_id
        and linking.is_last_of_grant(linked_site),
        "consent_page_url": deployment.consent_page_url(linked_site.url),
        "may_open": linked_site.is_usable_by(membership),
        "other_sites": linked_sites.filter(grant=linked_site.grant_id).exclude(
            pk=linked_site.pk
        ),
    }
    if request.method == "POST":
        linking.unlink(linked_site=linked_site, actor=request.user)
        return render(request, "confluence_link/unlinked.html", context)
    return render(request, "confluence_link/unlink.html", context)
