"""Cloud's part of the sandbox: its sites and how its token endpoint words its
refusals."""

from __future__ import annotations

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidGrantError, OAuth2Request

from sandbox.cloud import people
from sandbox.cloud.rate_limit import RateLimit
from sandbox.confluence.content import Confluence
from sandbox.confluence.seed import fill
from sandbox.oauth.grants import AccessToken, Refusal
from sandbox.oauth.server import Server
from sandbox.part import Part
from sandbox.settings import CloudBehaviour

PLACES = {
    "/authorize": "authorize",
    "/oauth/token": "token",
    "/oauth/token/accessible-resources": "sites",
    "/me": "me",
    "/app/report-accounts/": "report",
}
ACCOUNT_STATUSES = ("active", "updated", "closed")
SPENT = {Refusal.EXPIRED, Refusal.PASSWORD_CHANGED}


class CloudServer(Server[CloudBehaviour]):
    """Reference: https://developer.atlassian.com/cloud/confluence/oauth-2-3lo-apps/
    for what is documented; the other wordings were seen by client authors."""

    declined = "User did not authorize the request"
    refresh_token_needs = "offline_access"

    def refusal(self, reason: Refusal) -> OAuth2Error:
        if reason in SPENT:
            return OAuth2Error(
                "Unknown or invalid refresh token.",
                error="invalid_grant",
                status_code=403,
            )
        return OAuth2Error(
            "refresh_token is invalid", error="unauthorized_client", status_code=403
        )

    def translate(self, request: OAuth2Request, error: OAuth2Error) -> OAuth2Error:
        if isinstance(error, InvalidClientError):
            return OAuth2Error("Unauthorized", error="access_denied", status_code=401)
        kind = request.form.get("grant_type")
        if isinstance(error, InvalidGrantError) and kind == "authorization_code":
            return OAuth2Error(
                "authorization_code is invalid",
                error="invalid_request",
                status_code=self.store.behaviour.bad_code_status,
            )
        if isinstance(error, InvalidGrantError):
            return self.refusal(Refusal.UNKNOWN)
        return error


class Cloud(Part[CloudBehaviour]):
    def new_server(self) -> CloudServer:
        return CloudServer(self.client, self.store)

    def seed(self) -> None:
        now = self.clock.now()
        self.rate_limit = RateLimit(self.behaviour, self.clock)
        # What a report is told of an account; the others are active.
        self.account_statuses = {people.CLOSED_ACCOUNT_ID: "closed"}
        self.new_names: dict[str, str] = {}
        # Each account of each report that was taken, in its order.
        self.reported: list[dict[str, str]] = []
        self.confluences: dict[str, Confluence] = {}
        for number, site in enumerate(people.SITES, start=1):
            if not site.has_confluence:
                continue
            confluence = Confluence(first_id=number * 1_000_000)
            author_id = people.ACCOUNTS[0].id
            fill(
                confluence, author_id=author_id, now=now, extra_spaces=site.extra_spaces
            )
            self.confluences[site.id] = confluence

    def place(self, path: str) -> str | None:
        if path.startswith("/ex/"):
            return "api"
        return PLACES.get(path)

    def logins(self) -> dict[str, str]:
        return {account.login: account.name for account in people.ACCOUNTS}

    def revoke(self, account_id: str) -> int:
        return super().revoke(self._id(account_id))

    def leave_site(self, account_id: str, site_slug_or_id: str) -> None:
        """The person loses access to the site; the grant stays."""
        site = people.site(site_slug_or_id)
        with self.store.lock:
            for (_, owner), grant in self.store.grants.items():
                if site and owner == self._id(account_id):
                    grant.site_ids.discard(site.id)

    def change_password(self, account_id: str) -> int:
        return super().change_password(self._id(account_id))

    def set_account_status(self, account_id: str, status: str) -> None:
        """What the next reports of it are told. Grants of a closed account end by
        `revoke`."""
        if status not in ACCOUNT_STATUSES:
            raise ValueError(f"no such status: {status}")
        self.account_statuses[self._id(account_id)] = status

    def rename(self, account_id: str, name: str) -> None:
        """The person changes their profile."""
        self.new_names[self._id(account_id)] = name
        self.set_account_status(account_id, "updated")

    def name_of(self, account: people.Account) -> str:
        return self.new_names.get(account.id, account.name)

    def report(self, accounts: list[dict[str, str]]) -> dict[str, str]:
        """Takes a report; the status of each account."""
        self.reported.extend(accounts)
        ids = [one["accountId"] for one in accounts]
        statuses = {one: self.account_statuses.get(one, "active") for one in ids}
        for status in statuses.values():
            self.statistics.count(f"report.{status}")
        return statuses

    def _id(self, login_or_id: str) -> str:
        account = people.account(login_or_id)
        return account.id if account else login_or_id

    def reached_sites(self, token: AccessToken) -> list[people.Site]:
        """With account-level grants an older token reaches later sites too."""
        consented = token.family.consent.site_id
        account_level = self.behaviour.grant_level == "account"
        ids = token.family.grant.site_ids if account_level else {consented}
        return [site for site in people.SITES if site.id in ids]

    def site_url(self, site: people.Site) -> str:
        return f"{self.url}/site/{site.slug}"
