"""The token endpoint, and the answers of api.atlassian.com about the person.

Reference: https://developer.atlassian.com/cloud/confluence/oauth-2-3lo-apps/
and https://developer.atlassian.com/platform/forge/user-privacy-guidelines/
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6750 import InsufficientScopeError
from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from sandbox.cloud import people
from sandbox.cloud.state import Cloud
from sandbox.oauth.grants import AccessToken

JIRA_SCOPES = ["read:jira-user", "read:jira-work"]
MOST_REPORTED_ACCOUNTS = 90
ACCOUNT_ID = re.compile(r"[A-Za-z0-9:-]{1,128}")
# RFC 3339, section 5.6.
MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII
)


def blueprint(cloud: Cloud) -> Blueprint:
    api = Blueprint("identity", __name__)

    @api.errorhandler(OAuth2Error)
    def refuse(error: OAuth2Error) -> ResponseReturnValue:
        if isinstance(error, InsufficientScopeError):
            return jsonify(code=403, message="Forbidden"), 403
        return jsonify(code=401, message="Unauthorized"), 401

    @api.post("/oauth/token")
    def token() -> Response:
        return cloud.token_response(request)

    @api.get("/oauth/token/accessible-resources")
    def accessible_resources() -> Response:
        resources = _resources(cloud, cloud.protector.check(request))
        # Their order is promised nowhere, and clients take the first one.
        secrets.SystemRandom().shuffle(resources)
        return jsonify(resources)

    @api.get("/me")
    def me() -> Response:
        bearer = cloud.protector.check(request, ["read:me"])
        return jsonify(_profile(cloud, people.owner(bearer.family.grant.account_id)))

    @api.post("/app/report-accounts/")
    def report_accounts() -> ResponseReturnValue:
        cloud.protector.check(request, ["report:personal-data"])
        return _report(cloud)

    return api


def _resources(cloud: Cloud, token: AccessToken) -> list[dict[str, Any]]:
    """One entry per product container: the same cloud id stands twice, as it
    does for an app that has Jira scopes as well."""
    confluence = sorted(scope for scope in token.scopes if ":confluence" in scope)
    entries = []
    for site in cloud.reached_sites(token):
        common = {
            "id": site.id,
            "url": cloud.site_url(site),
            "name": site.name,
            "avatarUrl": f"{cloud.url}/avatar/{site.slug}.svg",
        }
        entries.append({**common, "scopes": JIRA_SCOPES})
        if site.has_confluence and confluence:
            entries.append({**common, "scopes": confluence})
    return entries


def _profile(cloud: Cloud, account: people.Account) -> dict[str, Any]:
    return {
        "account_type": "atlassian",
        "account_id": account.id,
        "account_status": "active",
        "email": account.email,
        "name": cloud.name_of(account),
        "nickname": account.login,
        "picture": f"{cloud.url}/avatar/{account.login}.svg",
        "zoneinfo": "Europe/Berlin",
        "locale": "en-GB",
        "extended_profile": {
            "job_title": "Editor",
            "organization": "Example",
            "department": "Documentation",
            "location": "Berlin",
        },
    }


def _report(cloud: Cloud) -> ResponseReturnValue:
    headers = {"Cycle-Period": cloud.behaviour.report_cycle}
    body = request.get_json(silent=True)
    accounts: Any = body.get("accounts") if isinstance(body, dict) else None
    if not _reportable(accounts):
        message = f"accounts: 1 to {MOST_REPORTED_ACCOUNTS} of accountId, updatedAt"
        problem = jsonify(errorType="BadRequest", errorMessage=message)
        return problem, 400, headers
    statuses = cloud.report(accounts)
    answer = [
        {"accountId": account_id, "status": status}
        for account_id, status in statuses.items()
        if status != "active"
    ]
    return (jsonify(accounts=answer), 200, headers) if answer else ("", 204, headers)


def _reportable(accounts: object) -> bool:
    """Stricter than anything that was seen, so that a client's mistakes show: no
    account twice, and none that Atlassian asks to leave out."""
    if not isinstance(accounts, list) or len(accounts) > MOST_REPORTED_ACCOUNTS:
        return False
    ids = {one["accountId"] for one in accounts if _is_entry(one)}
    return bool(accounts) and len(ids) == len(accounts)


def _is_entry(one: object) -> bool:
    if not isinstance(one, dict):
        return False
    account_id, at = one.get("accountId"), one.get("updatedAt")
    return (
        isinstance(account_id, str)
        and isinstance(at, str)
        and account_id != "unknown"
        and ACCOUNT_ID.fullmatch(account_id) is not None
        and MOMENT.fullmatch(at) is not None
    )
