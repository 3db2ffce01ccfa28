"""The one table of rights: what each role may do in its organization.

Views, templates and the API ask it through `Membership.may`; nothing else compares
roles. What is one's own (one's links, one's membership) needs no right here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

_OWNERS: Final = frozenset({"owner"})
_ADMINS: Final = frozenset({"owner", "admin"})
_EVERYONE: Final = frozenset({"owner", "admin", "member"})


class Right(StrEnum):
    """Named by what it lets one do."""

    LINK = "link"
    SHARE = "share"
    UNLINK_OTHERS = "unlink_others"
    ADD_SERVERS = "add_servers"
    INVITE = "invite"
    REMOVE_MEMBERS = "remove_members"
    SEND_LINK_INVITATIONS = "send_link_invitations"
    MAKE_KEYS = "make_keys"
    READ_AUDIT_LOG = "read_audit_log"
    # Roles of owners, the hand-over, the organization's name and end.
    OWN = "own"

    @property
    def label(self) -> str:
        """For people: what the row of the table says."""
        return _LABELS[self]


ROLES_WITH: Final[dict[Right, frozenset[str]]] = {
    Right.LINK: _EVERYONE,
    Right.SHARE: _EVERYONE,
    Right.UNLINK_OTHERS: _ADMINS,
    Right.ADD_SERVERS: _ADMINS,
    Right.INVITE: _ADMINS,
    Right.REMOVE_MEMBERS: _ADMINS,
    Right.SEND_LINK_INVITATIONS: _ADMINS,
    Right.MAKE_KEYS: _ADMINS,
    Right.READ_AUDIT_LOG: _ADMINS,
    Right.OWN: _OWNERS,
}

_LABELS: Final[dict[Right, str]] = {
    Right.LINK: "Link accounts of their own, reconnect and unlink them",
    Right.SHARE: "Share sites that they linked, or keep them to themselves",
    Right.UNLINK_OTHERS: "Unlink sites that others linked",
    Right.ADD_SERVERS: "Add and change Data Center servers",
    Right.INVITE: "Invite people, change members and admins",
    Right.REMOVE_MEMBERS: "Remove people, and name who takes their sites over",
    Right.SEND_LINK_INVITATIONS: "Ask people to link an account",
    Right.MAKE_KEYS: "Make and revoke keys for services",
    Right.READ_AUDIT_LOG: "Read and export the audit log",
    Right.OWN: "Name owners, rename and delete the organization",
}
