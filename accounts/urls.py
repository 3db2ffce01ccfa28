"""Addresses of people and organizations, in the name space `accounts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import include, path

from accounts.views import inviting, joining, keys, members, organizations

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver

app_name = "accounts"

# Below `o/<slug>/`.
organization_urlpatterns: list[URLPattern] = [
    path("members/", members.members, name="members"),
    path("members/invite/", inviting.invite, name="invite"),
    path(
        "members/invited/<slug:public_id>/send-again/",
        inviting.send_again,
        name="send_invitation_again",
    ),
    path(
        "members/invited/<slug:public_id>/revoke/",
        inviting.revoke_invitation,
        name="revoke_invitation",
    ),
    path("members/<slug:public_id>/", members.member, name="member"),
    path("members/<slug:public_id>/hand-over/", members.hand_over, name="hand_over"),
    path("keys/", keys.keys, name="keys"),
    path("keys/<slug:public_id>/revoke/", keys.revoke_key, name="revoke_key"),
    path(
        "settings/", organizations.organization_settings, name="organization_settings"
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("o/<slug:slug>/", include(organization_urlpatterns)),
    path("organizations/new/", organizations.new_organization, name="new_organization"),
    path("invitations/accept/", joining.accept_invitation, name="accept_invitation"),
    path("invitations/<slug:token>/", joining.open_invitation, name="open_invitation"),
]
