"""Why a link did not come about, by the reason of `LinkRefused`."""

from __future__ import annotations

from confluence_link.views.outcomes.outcome import Outcome

UNKNOWN_REASON = Outcome(
    title="The link was not made",
    happened="Something about the answer was not as it should be. Nothing was linked.",
    next_step="Start again from your linked sites.",
    tone="error",
)

OUTCOMES: dict[str, Outcome] = {
    # The person, or the time it took.
    "declined": Outcome(
        title="You did not give access",
        happened="You chose not to give access, so nothing was linked and nothing"
        " changed.",
        next_step="You can start again whenever you like.",
        tone="info",
    ),
    "expired": Outcome(
        title="This link attempt is too old",
        happened="A link must be finished within ten minutes of starting it, in the"
        " same browser. Nothing was linked.",
        next_step="Start again; it takes less than a minute.",
    ),
    "pending_expired": Outcome(
        title="This link is not waiting any more",
        happened="A link waits 15 minutes for your confirmation, and only in the"
        " browser in which you began. The button works once: if it was pressed twice,"
        " the first time has linked what you chose.",
        next_step="Look at your linked sites. If the site is missing, start again.",
        button="linked_sites",
    ),
    "used": Outcome(
        title="This link attempt was already used",
        happened="Each attempt works once. If you pressed “back” or reloaded the"
        " page, the first time may have worked.",
        next_step="Look at your linked sites. If the site is missing, link it again.",
        button="linked_sites",
        tone="info",
    ),
    "other_session": Outcome(
        title="This link was begun somewhere else",
        happened="The answer belongs to another browser or another sign-in, so it was"
        " not used. This protects you from linking somebody else's account.",
        next_step="Start again in this browser and finish here.",
    ),
    "too_many": Outcome(
        title="Too many attempts",
        happened="Links were started very often within a short time.",
        next_step="Wait a few minutes, then try again.",
    ),
    "bad_request": Outcome(
        title="This address is not complete",
        happened="The page was opened with parts missing, doubled or changed."
        " Nothing was linked.",
        next_step="Start again from your linked sites instead of an old address.",
    ),
    "no_sites_picked": Outcome(
        title="No site was chosen",
        happened="A link needs at least one site, and none was ticked.",
        next_step="Start again and tick the sites that your organization may use.",
    ),
    # Who may link what.
    "other_user": Outcome(
        title="This Confluence account cannot be linked with your sign-in",
        happened="The account is not available here. Nothing was linked or changed.",
        next_step="Link another Confluence account. If this one is yours, you may"
        " have linked it under another e-mail address: sign in with that one.",
    ),
    "other_account": Outcome(
        title="That was a different Confluence account",
        happened="You reconnected with another account than the one that is linked."
        " The existing link was left as it is.",
        next_step="Sign out of Confluence or Atlassian, then reconnect with the"
        " account that the card names. To use the other account, link it as new.",
    ),
    "not_member": Outcome(
        title="You are not a member of this organization",
        happened="A link belongs to an organization, and you are not, or no longer,"
        " a member of the one you began it for. Nothing was linked.",
        next_step="Ask an owner of the organization to add you, or link for one of"
        " your own organizations.",
        button="linked_sites",
    ),
    # Invitations to link.
    "invitation_gone": Outcome(
        title="This link does not work any more",
        happened="It works once, for four hours, and only while you are a member of"
        " the organization that sent it. Nothing was changed.",
        next_step="Ask whoever sent it for another one. If you are a member, you may"
        " also link an account from the linked sites of your organization.",
        button="linked_sites",
    ),
    "invitation_other": Outcome(
        title="This link was sent to somebody else",
        happened="It is for the person to whose address it was mailed, and you are"
        " signed in as another one. It was not used.",
        next_step="Sign out, sign in with the address that the mail came to, and open"
        " the link in the mail again.",
        button="linked_sites",
    ),
    "link_only": Outcome(
        title="Sign in with your e-mail address",
        happened="A Confluence account can be linked here, but it signs nobody in.",
        next_step="Sign in first, then link the account from your linked sites.",
        button="linked_sites",
        tone="info",
    ),
    # What was granted is not enough.
    "no_refresh_token": Outcome(
        title="Lasting access was not given",
        happened="The consent came back without the permission to stay connected, so"
        " the link would have ended within the hour. It was not made.",
        next_step="Try again. If it happens again, tell your administrator.",
        operator="No refresh token was in the answer. Cloud: `offline_access` must be"
        " among the scopes that are asked for (CONFLUENCE_CLOUD_SCOPES or the app in"
        " the admin).",
    ),
    "missing_scopes": Outcome(
        title="Some permissions are missing",
        happened="The consent came back without everything that is needed. Nothing"
        " was linked.",
        next_step="Try again and allow everything that is asked for. If nothing was"
        " left out, tell your administrator.",
        operator="Each scope that is asked for must be on the app: Cloud, developer"
        " console > Permissions; Data Center, Application links > the incoming link >"
        " Application permissions.",
    ),
    "no_site": Outcome(
        title="No Confluence site came with this account",
        happened="The account gave access, but to no site that has Confluence.",
        next_step="Try again and choose a Confluence site under “Use app on”. If the"
        " list there is empty, this account has no Confluence: use another one.",
    ),
    "anonymous": Outcome(
        title="Confluence did not recognize you",
        happened="Confluence answered as if nobody were signed in, so there is no"
        " account to link.",
        next_step="Sign in to that Confluence in this browser, then try again. If it"
        " happens again, tell its administrator.",
        operator="`/rest/api/user/current` said “anonymous”. Check that a proxy before"
        " Confluence lets the Authorization header through.",
    ),
    "no_identity": Outcome(
        title="The account could not be identified",
        happened="Confluence did not say which account gave access. Nothing was"
        " linked.",
        next_step="Try again in a few minutes. If it happens again, tell your"
        " administrator.",
        operator="Cloud: the app needs the User identity API with `read:me` (developer"
        " console > Permissions), or `read:confluence-user`.",
    ),
    # The other side.
    "provider_down": Outcome(
        title="No answer from the other side",
        happened="Atlassian, or your Confluence server, could not be reached or did"
        " not answer in time. Nothing was linked.",
        next_step="Try again in a few minutes.",
        operator="Check DNS, the firewall and the certificate from this machine:"
        " `python manage.py check_connection <base URL>`.",
    ),
    "provider_busy": Outcome(
        title="The other side is busy",
        happened="Atlassian, or your Confluence server, asked us to come back later."
        " Nothing was linked.",
        next_step="Wait a few minutes, then try again.",
    ),
    "refused_by_provider": Outcome(
        title="The other side ended the link",
        happened="Atlassian, or your Confluence server, reported a problem of its own"
        " instead of giving access. Nothing was linked.",
        next_step="Try again in a few minutes. If it happens again, tell your"
        " administrator.",
    ),
    "code_refused": Outcome(
        title="The link took too long on its way back",
        happened="The short-lived code that came with the answer was not accepted."
        " It lives for seconds only. Nothing was linked.",
        next_step="Try again without pausing between the pages.",
        operator="Often a slow proxy, or a redirect URI that is not equal to the one"
        " registered with the app.",
    ),
    # The operator.
    "configuration": Outcome(
        title="This connection is not set up correctly",
        happened="The settings of this service were refused by the other side. You did"
        " nothing wrong, and nothing was linked.",
        next_step="Tell your administrator; people who run this service see the"
        " reason in the admin.",
        button="linked_sites",
        tone="error",
        operator="The client ID, the client secret or the redirect URI of the app was"
        " refused. Compare them with the developer console (Cloud) or the incoming"
        " application link (Data Center).",
    ),
    "app_disabled": Outcome(
        title="Linking is switched off here",
        happened="Your administrator has switched this connection off.",
        next_step="Ask your administrator, or link another Confluence.",
        button="linked_sites",
        operator="The OAuth app is not enabled, or not for this organization.",
    ),
    "blocked_address": Outcome(
        title="This server's address is not allowed",
        happened="This service may not connect to the address of that Confluence."
        " Nothing was linked.",
        next_step="Tell your administrator; the address must be allowed first.",
        button="linked_sites",
        tone="error",
        operator="Private addresses and unusual ports must be listed in"
        " CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS, and plain http needs"
        " CONFLUENCE_LINK_ALLOW_HTTP.",
    ),
}
