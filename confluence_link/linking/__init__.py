"""The person's verbs: link, reconnect, unlink. No request and no allauth here.

A link has two halves. The callback's half ends with a `PendingLink`: the consent is
exchanged, identified and sealed, and nothing is active. The confirm page's half writes
the grant and the linked sites in one transaction.

    states      a callback is claimed once
    consent     the code becomes tokens, an account and sites; every refusal has a name
    pending     sealed until the person confirms, or purged
    confirm     grant and linked sites, together
    invitations a member is asked to link an account
    pausing     grants rest while their person is switched off
    sharing     who uses a linked site
    unlink      what ends, and what is erased
"""

from __future__ import annotations

from confluence_link.linking.confirm import account_linked, confirm
from confluence_link.linking.consent import Consent, fetch_consent
from confluence_link.linking.invitations import (
    find_invitation,
    invite_to_link,
    revoke_invitation,
    use_invitation,
    waiting_invitations,
)
from confluence_link.linking.pausing import follow_all
from confluence_link.linking.pending import cancel, pend, pending_link
from confluence_link.linking.sharing import keep_private, share
from confluence_link.linking.states import claim_state, digest, purge
from confluence_link.linking.unlink import (
    account_unlinked,
    is_last_of_grant,
    list_sites_again,
    unlink,
)

__all__ = [
    "Consent",
    "account_linked",
    "account_unlinked",
    "cancel",
    "claim_state",
    "confirm",
    "digest",
    "fetch_consent",
    "find_invitation",
    "follow_all",
    "invite_to_link",
    "is_last_of_grant",
    "keep_private",
    "list_sites_again",
    "pend",
    "pending_link",
    "purge",
    "revoke_invitation",
    "share",
    "unlink",
    "use_invitation",
    "waiting_invitations",
]
