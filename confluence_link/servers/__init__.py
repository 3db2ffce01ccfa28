"""Data Center servers of an organization, kept by the people who have them.

A server is an `OAuthApp` of the organization, with an address, credentials and
network settings of its own. The same server in two organizations is two rows that
know nothing of each other.

    registering  added, changed, removed
    checking     what a probe saw, kept in the row
    credentials  client id and secret go in and never come out
    setups       the single-use form for the administrator of the server
    condition    how far it is, in one word
"""

from __future__ import annotations

from confluence_link.servers.checking import check, is_linked
from confluence_link.servers.condition import Condition, condition_of, of_organization
from confluence_link.servers.credentials import (
    add_secret,
    complete_setup,
    enter_credentials,
    last_entered,
)
from confluence_link.servers.registering import (
    AddressIsFixed,
    Settings,
    WayIsTheOperators,
    add,
    change,
    read_base_url,
    read_proxy_url,
    remove,
)
from confluence_link.servers.setups import (
    SetupIsOver,
    find_setup,
    open_setup,
    purge,
    send_setup,
    withdraw_setup,
)

__all__ = [
    "AddressIsFixed",
    "Condition",
    "Settings",
    "SetupIsOver",
    "WayIsTheOperators",
    "add",
    "add_secret",
    "change",
    "check",
    "complete_setup",
    "condition_of",
    "enter_credentials",
    "find_setup",
    "is_linked",
    "last_entered",
    "of_organization",
    "open_setup",
    "purge",
    "read_base_url",
    "read_proxy_url",
    "remove",
    "send_setup",
    "withdraw_setup",
]
