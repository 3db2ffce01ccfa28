"""The rows. One-row logic is a method here, many-row logic a QuerySet method."""

from __future__ import annotations

from confluence_link.models.among import Among
from confluence_link.models.clock import database_now
from confluence_link.models.event import Event
from confluence_link.models.grant import Grant, SealedTokenSet
from confluence_link.models.link_invitation import LinkInvitation
from confluence_link.models.linked_site import LinkedSite
from confluence_link.models.oauth_app import OAuthApp, OAuthAppHealth
from confluence_link.models.pending_link import PendingLink, UsedState
from confluence_link.models.server_setup import ServerSetup
from confluence_link.models.tally import OAuthAppTally, OrganizationTally
from confluence_link.models.vacant_site import VacantSite
from confluence_link.models.vault_key import VaultKey

__all__ = [
    "Among",
    "Event",
    "Grant",
    "LinkInvitation",
    "LinkedSite",
    "OAuthApp",
    "OAuthAppHealth",
    "OAuthAppTally",
    "OrganizationTally",
    "PendingLink",
    "SealedTokenSet",
    "ServerSetup",
    "UsedState",
    "VacantSite",
    "VaultKey",
    "database_now",
]
