"""The table of T01: every address of this service, and who may have it.

A route that is missing here fails the suite. Names are those of the URL configuration;
a route of an organization's object names the argument that leads to the object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from accounts.rights import Right

GET, POST = frozenset({"GET", "HEAD"}), frozenset({"POST"})
PAGE, FORM, ACTION = GET, GET | POST, POST


@dataclass(frozen=True)
class Route:
    """One route below `/o/<slug>/`.

    `objects` are the arguments after the slug, by the names of `World.objects`.
    `right` is what a role needs for it; None: every member.
    """

    methods: frozenset[str]
    objects: tuple[str, ...] = ()
    right: Right | None = None


R = Right
ORGANIZATION: dict[str, Route] = {
    "confluence_link:organization": Route(PAGE),
    "confluence_link:linked_sites": Route(PAGE),
    "confluence_link:audit_log": Route(PAGE, right=R.READ_AUDIT_LOG),
    "confluence_link:audit_log_csv": Route(PAGE, right=R.READ_AUDIT_LOG),
    "confluence_link:confirm_link": Route(FORM, ("pending_link",)),
    "confluence_link:linked_site": Route(PAGE, ("linked_site",)),
    "confluence_link:search": Route(PAGE, ("linked_site",)),
    "confluence_link:space": Route(PAGE, ("linked_site", "space_key")),
    "confluence_link:create_page": Route(FORM, ("linked_site", "space_key")),
    "confluence_link:page": Route(PAGE, ("linked_site", "page_id")),
    "confluence_link:timeline": Route(PAGE, ("linked_site",)),
    # Alice's, so that the others need the right.
    "confluence_link:unlink": Route(FORM, ("linked_site",), R.UNLINK_OTHERS),
    "confluence_link:name_adopter": Route(FORM, ("vacant_site",), R.REMOVE_MEMBERS),
    "confluence_link:drop_vacant_site": Route(FORM, ("vacant_site",), R.UNLINK_OTHERS),
    "confluence_link:remove_member": Route(FORM, ("membership",), R.REMOVE_MEMBERS),
    "confluence_link:leave": Route(FORM),
    "confluence_link:share": Route(ACTION, ("linked_site",), R.UNLINK_OTHERS),
    "confluence_link:ask_to_reconnect": Route(
        ACTION, ("linked_site",), R.SEND_LINK_INVITATIONS
    ),
    "confluence_link:link_invitations": Route(FORM, right=R.SEND_LINK_INVITATIONS),
    "confluence_link:revoke_link_invitation": Route(
        ACTION, ("link_invitation",), R.SEND_LINK_INVITATIONS
    ),
    "confluence_link:servers": Route(PAGE, right=R.ADD_SERVERS),
    "confluence_link:add_server": Route(FORM, right=R.ADD_SERVERS),
    "confluence_link:server": Route(PAGE, ("server",), R.ADD_SERVERS),
    "confluence_link:check_server": Route(ACTION, ("server",), R.ADD_SERVERS),
    "confluence_link:server_settings": Route(FORM, ("server",), R.ADD_SERVERS),
    "confluence_link:server_credentials": Route(FORM, ("server",), R.ADD_SERVERS),
    "confluence_link:second_secret": Route(FORM, ("server",), R.ADD_SERVERS),
    "confluence_link:ask_administrator": Route(FORM, ("server",), R.ADD_SERVERS),
    "confluence_link:withdraw_setup": Route(ACTION, ("server",), R.ADD_SERVERS),
    "confluence_link:remove_server": Route(FORM, ("server",), R.ADD_SERVERS),
    "accounts:members": Route(PAGE),
    "accounts:invite": Route(FORM, right=R.INVITE),
    "accounts:send_invitation_again": Route(ACTION, ("invitation",), R.INVITE),
    "accounts:revoke_invitation": Route(ACTION, ("invitation",), R.INVITE),
    # Looking at a member is for every member.
    "accounts:member": Route(FORM, ("membership",)),
    "accounts:hand_over": Route(FORM, ("membership",), R.OWN),
    "accounts:keys": Route(FORM, right=R.MAKE_KEYS),
    "accounts:revoke_key": Route(ACTION, ("service_key",), R.MAKE_KEYS),
    "accounts:organization_settings": Route(FORM, right=R.OWN),
    "confluence_link:delete_organization": Route(FORM, right=R.OWN),
}

Kind = Literal["open", "signed_in", "allauth", "api"]
# Everything that belongs to no organization. `open` is for everyone, `signed_in` leads
# strangers to the sign-in page, `allauth` is judged by allauth's own tests.
OTHERS: dict[str, Kind] = {
    "home": "open",
    "healthz": "open",
    "accounts:new_organization": "signed_in",
    # Mailed: what is behind them is asked for once more, whoever comes.
    "accounts:open_invitation": "open",
    "accounts:accept_invitation": "open",
    "link_invitation_arrival": "open",
    "link_invitation": "open",
    "server_setup_arrival": "open",
    "server_setup": "open",
    "api-1:api-root": "open",
    "api-1:openapi-json": "open",
    "api-1:list_linked_sites": "api",
    "api-1:linked_site": "api",
    "api-1:token": "api",
    "my_data": "signed_in",
    "export_my_data": "signed_in",
    "delete_my_account": "signed_in",
    "confluence_login": "signed_in",
    "confluence_callback": "open",
    "socialaccount_login_cancelled": "allauth",
    "socialaccount_login_error": "allauth",
    "socialaccount_signup": "allauth",
    "socialaccount_connections": "allauth",
    "account_login": "allauth",
    "account_logout": "allauth",
    "account_inactive": "allauth",
    "account_signup": "allauth",
    "account_reauthenticate": "allauth",
    "account_email": "allauth",
    "account_email_verification_sent": "allauth",
    "account_change_password": "allauth",
    "account_set_password": "allauth",
    "account_reset_password": "allauth",
    "account_confirm_login_code": "allauth",
    "account_confirm_email": "allauth",
    "account_reset_password_from_key_done": "allauth",
    "account_reset_password_from_key": "allauth",
    "account_reset_password_done": "allauth",
    "mfa_index": "allauth",
    "mfa_authenticate": "allauth",
    "mfa_reauthenticate": "allauth",
    "mfa_activate_totp": "allauth",
    "mfa_deactivate_totp": "allauth",
    "mfa_view_recovery_codes": "allauth",
    "mfa_generate_recovery_codes": "allauth",
    "mfa_download_recovery_codes": "allauth",
    "mfa_list_webauthn": "allauth",
    "mfa_add_webauthn": "allauth",
    "mfa_reauthenticate_webauthn": "allauth",
    "mfa_remove_webauthn": "allauth",
    "mfa_edit_webauthn": "allauth",
    "mfa_login_webauthn": "allauth",
    "usersessions_list": "allauth",
}

# Of the admin, beside the five pages of each model.
ADMIN: dict[str, tuple[str, ...]] = {
    "admin:index": (),
    "admin:login": (),
    "admin:logout": (),
    "admin:password_change": (),
    "admin:password_change_done": (),
    "admin:autocomplete": (),
    "admin:jsi18n": (),
    "admin:view_on_site": ("1", "1"),
    "admin:app_list": ("confluence_link",),
}
