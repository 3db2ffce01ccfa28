"""Addresses. allauth mounts `urlpatterns` by this module's name; the rest is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from confluence_link.views import (
    audit_log,
    callback,
    invited,
    leaving,
    link,
    link_invitations,
    my_account,
    organization,
    organization_end,
    pages,
    sharing,
    sites,
    timeline,
    vacant_sites,
)
from confluence_link.views.servers import asking, credentials, overview, setup
from confluence_link.views.servers import settings as server_settings

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

# Below `me/`: one's own data and account.
account_urlpatterns: list[URLPattern] = [
    path("", my_account.my_data, name="my_data"),
    path("export/", my_account.export_my_data, name="export_my_data"),
    path("delete/", my_account.delete_my_account, name="delete_my_account"),
]

# Below `server-setup/`: what is mailed to the administrator of a server.
server_setup_urlpatterns: list[URLPattern] = [
    path("", setup.server_setup, name="server_setup"),
    path("<slug:token>/", setup.arrival, name="server_setup_arrival"),
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
    path(
        "vacant-sites/<slug:public_id>/ask/",
        vacant_sites.name_adopter,
        name="name_adopter",
    ),
    path(
        "vacant-sites/<slug:public_id>/remove/",
        vacant_sites.drop_vacant_site,
        name="drop_vacant_site",
    ),
    path(
        "members/<slug:public_id>/remove/", leaving.remove_member, name="remove_member"
    ),
    path("leave/", leaving.leave, name="leave"),
    path(
        "settings/delete/",
        organization_end.delete_organization,
        name="delete_organization",
    ),
    path("servers/", overview.server_list, name="servers"),
    path("servers/add/", overview.add_server, name="add_server"),
    path("servers/<slug:provider_id>/", overview.server, name="server"),
    path(
        "servers/<slug:provider_id>/check/", overview.check_server, name="check_server"
    ),
    path(
        "servers/<slug:provider_id>/settings/",
        server_settings.server_settings,
        name="server_settings",
    ),
    path(
        "servers/<slug:provider_id>/credentials/",
        credentials.credentials,
        name="server_credentials",
    ),
    path(
        "servers/<slug:provider_id>/second-secret/",
        credentials.second_secret,
        name="second_secret",
    ),
    path(
        "servers/<slug:provider_id>/ask/",
        asking.ask_administrator,
        name="ask_administrator",
    ),
    path(
        "servers/<slug:provider_id>/withdraw/",
        asking.withdraw_setup,
        name="withdraw_setup",
    ),
    path(
        "servers/<slug:provider_id>/remove/",
        server_settings.remove_server,
        name="remove_server",
    ),
]
