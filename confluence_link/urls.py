"""Addresses. allauth mounts `urlpatterns` by this module's name; the rest is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from confluence_link.views import (
    audit_log,
    callback,
    invited,
    link,
    link_invitations,
    organization,
    pages,
    sharing,
    sites,
    timeline,
)

if TYPE_CHECKING:
    from django.urls import URLPattern

# Below `accounts/`, by allauth: leaving for the other side, coming back.
urlpatterns: list[URLPattern] = [
    path("confluence/<slug:provider_id>/login/", link.start, name="confluence_login"),
    path(
        "confluence/<slug:provider_id>/login/callback/",
        callback.callback,
        name="confluence_callback",
    ),
]

# Below `link-invitations/`: what is mailed to a member, and the page behind it.
invitation_urlpatterns: list[URLPattern] = [
    path("", invited.invited, name="link_invitation"),
    path("<slug:token>/", invited.arrival, name="link_invitation_arrival"),
]

# Below `o/<slug>/`, in the name space `confluence_link`.
page_urlpatterns: list[URLPattern] = [
    path("", organization.organization, name="organization"),
    path("audit-log/", audit_log.audit_log, name="audit_log"),
    path("audit-log/export/", audit_log.audit_log_csv, name="audit_log_csv"),
    path("sites/", sites.linked_sites, name="linked_sites"),
    path("link/pending/<slug:public_id>/", link.confirm_link, name="confirm_link"),
    path("sites/<slug:public_id>/", sites.linked_site, name="linked_site"),
    path("sites/<slug:public_id>/search/", pages.search, name="search"),
    path("sites/<slug:public_id>/spaces/<str:space_key>/", pages.space, name="space"),
    path(
        "sites/<slug:public_id>/spaces/<str:space_key>/new/",
        pages.create_page,
        name="create_page",
    ),
    path("sites/<slug:public_id>/pages/<str:page_id>/", pages.page, name="page"),
    path("sites/<slug:public_id>/share/", sharing.share, name="share"),
    path("sites/<slug:public_id>/unlink/", link.unlink, name="unlink"),
    path("sites/<slug:public_id>/timeline/", timeline.timeline, name="timeline"),
    path(
        "sites/<slug:public_id>/ask/",
        link_invitations.ask_to_reconnect,
        name="ask_to_reconnect",
    ),
    path(
        "link-invitations/", link_invitations.link_invitations, name="link_invitations"
    ),
    path(
        "link-invitations/<slug:public_id>/revoke/",
        link_invitations.revoke_link_invitation,
        name="revoke_link_invitation",
    ),
]
