"""Authorization on the server's own pages: log in, consent, and back; and the
page where a person takes it back.

Reference: https://developer.atlassian.com/server/confluence/confluence-oauth2-provider-api/
No cookie: who is logged in travels with the form.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.data_center.state import DataCenter
from sandbox.oauth.grants import Consent

OWN_FIELDS = {"username", "decision"}
FORM_ONLY = (
    "The @FormParam is utilized when the content type of the request entity is "
    "not application/x-www-form-urlencoded"
)


def blueprint(server: DataCenter) -> Blueprint:
    pages = Blueprint("authorize", __name__, url_prefix=server.context_path)
    consent_path = f"{server.context_path}/plugins/servlet/oauth2/consent"

    @pages.get("/rest/oauth2/<any(latest, '1.0'):version>/authorize")
    def authorize(version: str) -> ResponseReturnValue:
        if not server.behaviour.oauth_enabled:
            return render_template("error.html", problem="Page not found"), 404
        _, refusal = _validated(server)
        if refusal:
            return refusal
        query = urlencode(list(request.args.items()))
        return redirect(f"{server.context_path}/login.action?{query}", 302)

    @pages.get("/login.action")
    def login() -> ResponseReturnValue:
        return render_template(
            "login.html", users=server.users, asked=_asked(), action=consent_path
        )

    @pages.get("/plugins/servlet/oauth2/consent")
    def ask() -> ResponseReturnValue:
        grant, refusal = _validated(server)
        if refusal:
            return refusal
        user = server.user(request.args.get("username", ""))
        if user is None:
            query = urlencode(_asked())
            return redirect(f"{server.context_path}/login.action?{query}", 302)
        return render_template(
            "data_center_consent.html",
            user=user,
            scopes=grant.request.scope.split(),
            asked=_asked(),
        )

    @pages.post("/plugins/servlet/oauth2/consent")
    def decide() -> ResponseReturnValue:
        grant, refusal = _validated(server)
        if refusal:
            return refusal
        consent = _consent(server, grant.request.scope)
        with server.store.lock:
            server.statistics.count(f"consent.{'allow' if consent else 'deny'}")
            return server.server.decide(grant, consent)

    @pages.post("/rest/oauth2/<any(latest, '1.0'):version>/token")
    def token(version: str) -> ResponseReturnValue:
        if request.mimetype != "application/x-www-form-urlencoded":
            return jsonify({"message": FORM_ONLY, "status-code": 500}), 500
        return server.token_response(request)

    # The tab of the person's profile has this address in Confluence.
    @pages.get("/users/revokeoauthtokens.action")
    @pages.get("/plugins/servlet/oauth2/authorized-applications")
    def authorized_applications() -> str:
        keys = [grant.account_id for grant in server.store.grants.values()]
        users = [user for user in server.users if user.key in keys]
        return render_template("authorized_applications.html", users=users)

    @pages.post("/plugins/servlet/oauth2/authorized-applications")
    def revoke() -> ResponseReturnValue:
        server.revoke(request.form.get("username", ""))
        return redirect(request.path, 303)

    return pages


def _validated(server: DataCenter) -> tuple[Any, Response | None]:
    """Authlib's checks. Once the redirect URI is known to be right, errors go
    back to the client, as RFC 6749 section 4.1.2.1 says."""
    try:
        return server.server.consent_grant(request), None
    except OAuth2Error as error:
        if error.redirect_uri:
            oauth_request = server.server.create_oauth2_request(request)
            return None, server.server.handle_error_response(oauth_request, error)
        problem = f"{error.error}: {error.get_error_description()}"
        return None, Response(
            render_template("error.html", problem=problem), 400, mimetype="text/html"
        )


def _asked() -> dict[str, str]:
    return {k: v for k, v in request.args.items() if k not in OWN_FIELDS}


def _consent(server: DataCenter, scope: str) -> Consent | None:
    user = server.user(request.form.get("username", ""))
    if user is None or request.form.get("decision") != "allow":
        return None
    withheld = set(server.behaviour.withheld_scopes.split())
    granted = " ".join(word for word in scope.split() if word not in withheld)
    return Consent(server.client.client_id, user.key, granted)
