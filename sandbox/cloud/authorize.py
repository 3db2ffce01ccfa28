"""`GET /authorize` and the pages a person sees there.

Reference: https://developer.atlassian.com/cloud/confluence/oauth-2-3lo-apps/
No cookie and no script: what was asked travels in hidden fields, so a test
walks through with one POST.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.cloud import people
from sandbox.cloud.state import Cloud
from sandbox.oauth.grants import Consent

OWN_FIELDS = {"account", "site", "decision"}
NOT_PRODUCT = {"offline_access", "read:me", "read:account", "report:personal-data"}


def blueprint(cloud: Cloud) -> Blueprint:
    pages = Blueprint("authorize", __name__)

    @pages.get("/authorize")
    def ask() -> ResponseReturnValue:
        grant, problem = _validated(cloud)
        if problem:
            return _error_page(problem)
        account = people.account(request.args.get("account", ""))
        if account is None:
            return render_template(
                "choose_account.html", accounts=people.ACCOUNTS, asked=_asked()
            )
        return render_template(
            "cloud_consent.html",
            account=account,
            scopes=grant.request.scope.split(),
            sites=account.sites if _wants_product(grant.request.scope) else (),
            asked=_asked(),
        )

    @pages.post("/authorize")
    def decide() -> ResponseReturnValue:
        grant, problem = _validated(cloud)
        if problem:
            return _error_page(problem)
        consent = None
        if request.form.get("decision") == "accept":
            consent = _consent(cloud, grant.request.scope)
            if consent is None:
                return _error_page("Choose one of your accounts and one of its sites.")
        with cloud.store.lock:
            cloud.statistics.count(f"consent.{'accept' if consent else 'cancel'}")
            return cloud.server.decide(grant, consent)

    return pages


def _validated(cloud: Cloud) -> tuple[Any, str | None]:
    """Authlib's checks, then the two parameters that only Atlassian knows. A
    request that fails is shown to the person and never sent back."""
    parameters = request.form if request.method == "POST" else request.args
    try:
        grant = cloud.server.consent_grant(request)
    except OAuth2Error as error:
        return None, f"{error.error}: {error.get_error_description()}"
    if parameters.get("audience") != "api.atlassian.com":
        return None, "invalid_request: audience must be api.atlassian.com"
    if parameters.get("prompt") != "consent":
        return None, "invalid_request: prompt must be consent"
    return grant, None


def _error_page(problem: str) -> ResponseReturnValue:
    return render_template("error.html", problem=problem), 400


def _asked() -> dict[str, str]:
    return {k: v for k, v in request.args.items() if k not in OWN_FIELDS}


def _wants_product(scope: str) -> bool:
    return not set(scope.split()) <= NOT_PRODUCT


def _consent(cloud: Cloud, scope: str) -> Consent | None:
    account = people.account(request.form.get("account", ""))
    if account is None:
        return None
    site_id = None
    if _wants_product(scope):
        site = people.site(request.form.get("site", ""))
        if site not in account.sites:
            return None
        site_id = site.id
    withheld = set(cloud.behaviour.withheld_scopes.split())
    granted = " ".join(word for word in scope.split() if word not in withheld)
    return Consent(cloud.client.client_id, account.id, granted, site_id)
