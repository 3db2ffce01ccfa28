"""Why a linked site could not be used just now, by the class of error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluence_link import errors
from confluence_link.models import Grant
from confluence_link.views.outcomes.outcome import Outcome

if TYPE_CHECKING:
    from confluence_link.errors import ConfluenceLinkError

BROKEN_ANSWERS: dict[type[ConfluenceLinkError], Outcome] = {
    errors.ReauthorizationRequired: Outcome(
        title="Reconnect needed",
        happened="The consent has ended.",
        next_step="The person who linked the site gives access once more; the link"
        " and its settings stay.",
        button="reconnect",
    ),
    errors.NotInUse: Outcome(
        title="Not in use at the moment",
        happened="This site is switched off here.",
        next_step="Tell whoever runs this service.",
        button="",
    ),
    errors.TokenUnavailable: Outcome(
        title="No access at this moment",
        happened="The access to this site is being renewed, and that is not through"
        " yet. Nothing is lost.",
        next_step="Try again in a minute; we keep trying by ourselves.",
        button="reload",
        status=503,
    ),
    errors.TokenEndpointError: Outcome(
        title="No access at this moment",
        happened="Renewing the access to this site did not work this time. We keep"
        " trying by ourselves.",
        next_step="Try again in a few minutes.",
        button="reload",
        status=503,
    ),
    errors.TransportError: Outcome(
        title="Confluence could not be reached",
        happened="No complete answer came back from Confluence.",
        next_step="Try again in a few minutes. If it lasts, tell your administrator.",
        button="reload",
        operator="Check DNS, the firewall and the certificate from this machine:"
        " `python manage.py check_connection <base URL>`.",
        status=502,
    ),
    errors.ScopeMissing: Outcome(
        title="A permission is missing",
        happened="The consent for this site does not include what this page needs.",
        next_step="Reconnect and allow everything that is asked for.",
        button="reconnect",
        operator="The scope must be on the app before people can allow it.",
    ),
    errors.NotPermitted: Outcome(
        title="This account may not see this",
        happened="Confluence does not let the linked account in here. An access rule"
        " of the site can be the reason, or a missing Confluence licence.",
        next_step="Ask an administrator of that Confluence.",
        button="",
        status=403,
    ),
    errors.NotFound: Outcome(
        title="Not found",
        happened="It does not exist in Confluence, or the linked account may not see"
        " it.",
        next_step="It may have been moved or deleted. Look for it in the spaces.",
        button="linked_sites",
        tone="info",
        status=404,
    ),
    errors.Conflict: Outcome(
        title="Somebody else was faster",
        happened="It was changed in Confluence at the same moment, so nothing was"
        " saved.",
        next_step="Look at it in Confluence, then try again.",
        button="reload",
        status=409,
    ),
    errors.Rejected: Outcome(
        title="Confluence did not accept this request",
        happened="Confluence found something wrong with the request.",
        next_step="Go back to the first page of the list and try again.",
        button="linked_sites",
        status=502,
    ),
    errors.RateLimited: Outcome(
        title="Too many requests",
        happened="Confluence limits how often it may be asked, and the limit is"
        " reached.",
        next_step="Wait a little, then try again.",
        button="reload",
        status=503,
    ),
    errors.Unavailable: Outcome(
        title="Confluence has trouble",
        happened="Confluence did not give a usable answer, even after several tries.",
        next_step="Try again in a few minutes. Your link is not affected.",
        button="reload",
        status=502,
    ),
    errors.VaultError: Outcome(
        title="The stored access cannot be opened",
        happened="The key that this link was sealed with is not available. Nothing is"
        " lost, and you need not link again.",
        next_step="Tell your administrator.",
        button="",
        tone="error",
        operator="A key is missing from CONFLUENCE_LINK_VAULT_KEYS, or a sealed value"
        " was damaged. Putting the key back repairs it.",
        status=503,
    ),
    # What no line above knows.
    errors.ConfluenceLinkError: Outcome(
        title="This did not work",
        happened="Something went wrong between this service and Confluence.",
        next_step="Try again in a few minutes.",
        button="reload",
        tone="error",
        status=502,
    ),
}

# 401 speaks of the token, whatever was asked for; refreshing did not help.
ACCESS_REFUSED = Outcome(
    title="The access was refused",
    happened="Confluence did not accept the access of the linked account. Perhaps it"
    " was ended on the other side: the app was removed there, or the password changed.",
    next_step="Reconnecting repairs it; the link and its settings stay.",
    button="reconnect",
    status=403,
)

# Why nothing is handed out although the grant lives, by `NotInUse.reason`.
NOT_IN_USE: dict[str, Outcome] = {
    "person": Outcome(
        title="Paused with its person",
        happened="The person who linked this site is deactivated here, so nothing of"
        " their account is used. The link itself is kept.",
        next_step="It goes on as soon as they are back. If they are not coming back,"
        " an admin of your organization removes them and asks somebody else to link"
        " the site.",
        button="",
    ),
    "organization": Outcome(
        title="Paused with its organization",
        happened="The organization is deactivated here, so none of its links is used."
        " They are kept.",
        next_step="Ask whoever runs this service.",
        button="",
    ),
    "paused": Outcome(
        title="Paused",
        happened="The use of this site is paused. The link itself is kept alive.",
        next_step="Ask whoever paused it.",
        button="",
    ),
    "lost": Outcome(
        title="No longer reachable",
        happened="The linked account no longer reaches this site, so it is not asked.",
        next_step="It comes back by itself once the account does, or when you"
        " reconnect and choose this site again.",
        button="reconnect",
    ),
    "unlinked": Outcome(
        title="No longer linked",
        happened="The link of this site was ended while you looked at it.",
        next_step="Look at the linked sites of your organization.",
        button="",
        status=404,
    ),
}

# Why a consent has ended, in the person's words, by `ReauthorizationRequired.reason`.
CONSENT_ENDED: dict[str, str] = {
    "unlinked": "The account was unlinked and its tokens were erased.",
    Grant.DeathReason.REVOKED: "The access was ended on the other side: the app was"
    " removed there, the password changed, or an administrator ended it.",
    Grant.DeathReason.ROTATION_LOST: "An answer with new tokens was lost on its way,"
    " and the old ones are no longer accepted.",
    Grant.DeathReason.IDLE_EXPIRED: "The access was not renewed for so long that the"
    " other side ended it.",
    Grant.DeathReason.ABSOLUTE_EXPIRED: "The consent has reached its last day. It has"
    " to be given anew from time to time.",
}

# What to say instead when a page could not be created.
PAGE_NOT_CREATED: dict[type[ConfluenceLinkError], Outcome] = {
    errors.Rejected: Outcome(
        title="Confluence did not accept the page",
        happened="The text may be too long, or hold something that Confluence does"
        " not take.",
        next_step="Change the title or the text, then try again.",
        button="",
    ),
    errors.Conflict: Outcome(
        title="This title is taken",
        happened="A page with this title is already in the space: perhaps this very"
        " page, if the button was pressed twice.",
        next_step="Look at the pages of the space, or choose another title.",
        button="",
    ),
    errors.NotPermitted: Outcome(
        title="This account may not create pages here",
        happened="The linked account has no right to add pages to this space.",
        next_step="Choose another space, or ask an administrator of the space.",
        button="",
    ),
    errors.NotFound: Outcome(
        title="The space was not found",
        happened="It does not exist any more, or the linked account may not see it.",
        next_step="Choose another space.",
        button="",
    ),
    errors.Unavailable: Outcome(
        title="We do not know whether the page was created",
        happened="Confluence gave no usable answer after the page was sent to it.",
        next_step="Look at the pages of the space before you try again.",
        button="",
    ),
}
