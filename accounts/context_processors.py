"""What the frame of every page needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from accounts.models import Membership, Organization, User
from accounts.rights import Right

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

# The pages of an organization, in words, and the right that each needs.
_TABS: tuple[tuple[str, str, Right | None], ...] = (
    ("confluence_link:organization", "Home", None),
    ("confluence_link:linked_sites", "Linked sites", None),
    ("accounts:members", "Members", None),
    ("confluence_link:servers", "Servers", Right.ADD_SERVERS),
    ("accounts:keys", "Keys", Right.MAKE_KEYS),
    ("confluence_link:audit_log", "Audit log", Right.READ_AUDIT_LOG),
    ("accounts:organization_settings", "Settings", Right.OWN),
)

# Pages that are not below the address of the tab that they belong to.
_TAB_OF = dict.fromkeys(
    (
        "confluence_login",
        "confluence_link:confirm_link",
        "confluence_link:link_invitations",
        "confluence_link:name_adopter",
        "confluence_link:drop_vacant_site",
    ),
    "confluence_link:linked_sites",
) | {"confluence_link:leave": "accounts:members"}


def frame(request: HttpRequest) -> dict[str, Any]:
    """The notice over every page, the person's organizations, and the current one."""
    user = getattr(request, "user", None)
    return {
        "site_notice": settings.SITE_NOTICE,
        "site_notice_url": settings.SITE_NOTICE_URL,
        "organizations": (
            Organization.objects.of(user) if isinstance(user, User) else ()
        ),
        "memberships": _memberships(user) if isinstance(user, User) else (),
        **_acting(request, getattr(request, "membership", None)),
    }


def _memberships(user: User) -> QuerySet[Membership]:
    """What the switcher offers; asked for when it is drawn."""
    own = Membership.objects.filter(user=user, organization__is_active=True)
    return own.select_related("organization").order_by("organization__name", "pk")


def _acting(request: HttpRequest, membership: Membership | None) -> dict[str, Any]:
    """For whom the page acts: set by `tenancy.member_view`."""
    if membership is None:
        return {}
    return {
        "tabs": _tabs(request, membership),
        "membership": membership,
        "organization": membership.organization,
        "rights": {right.value: membership.may(right) for right in Right},
    }


def _tabs(request: HttpRequest, membership: Membership) -> list[dict[str, str]]:
    """The organization's pages that the member may open, and where this page is."""
    tabs = []
    for name, words, right in _TABS:
        if right is not None and not membership.may(right):
            continue
        url = reverse(name, args=[membership.organization.slug])
        current = _current(request, url, name)
        tabs.append({"url": url, "words": words, "current": current})
    return tabs


def _current(request: HttpRequest, url: str, name: str) -> str:
    """The value of `aria-current`: this very page, or one that belongs to it.

    Every page is below the home, which is therefore marked for itself alone.
    """
    if request.path == url:
        return "page"
    view = request.resolver_match.view_name if request.resolver_match else ""
    is_below = request.path.startswith(url) and name != _TABS[0][0]
    return "true" if is_below or _TAB_OF.get(view) == name else ""
