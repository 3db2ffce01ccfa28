"""What stands in front of every product call: the bearer token, its scopes,
the cloud id, the rate limit. Error bodies are those of the gateway layer.

Reference: https://developer.atlassian.com/cloud/confluence/oauth-2-3lo-apps/
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import NoReturn

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6750 import InsufficientScopeError
from flask import Response, abort, jsonify, make_response, request

from sandbox.cloud import people
from sandbox.cloud.state import Cloud
from sandbox.confluence.content import Confluence
from sandbox.oauth.grants import AccessToken
from sandbox.oauth.protector import ExpiredTokenError


@dataclass(frozen=True)
class Call:
    """An authorized call to one site."""

    token: AccessToken
    account: people.Account
    site: people.Site
    site_url: str
    confluence: Confluence


class Gateway:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def admit(self, cloud_id: str, scopes: list[str] | None) -> Call:
        """The call, or an HTTP error. Any one of `scopes` is enough."""
        if not self.cloud.rate_limit.spend(1):
            self._refuse_rate()
        token = self._bearer(scopes)
        site = people.site(cloud_id)
        if site is None or site not in self.cloud.reached_sites(token):
            _refuse(404, code=404, message="Not Found")
        account = people.owner(token.family.grant.account_id)
        confluence = self.cloud.confluences.get(site.id)
        if confluence is None:
            message = "Current user not permitted to use Confluence"
            _refuse(403, message=message, statusCode=403)
        return Call(token, account, site, self.cloud.site_url(site), confluence)

    def finish(self, response: Response) -> Response:
        """Points for what was returned, and the headers each answer carries."""
        body = response.get_json(silent=True) if response.is_json else None
        results = body.get("results") if isinstance(body, dict) else None
        self.cloud.rate_limit.spend(len(results) if isinstance(results, list) else 0)
        response.headers.update(self.cloud.rate_limit.headers())
        response.headers["atl-request-id"] = secrets.token_hex(16)
        response.headers["atl-traceid"] = secrets.token_hex(16)
        return response

    def _bearer(self, scopes: list[str] | None) -> AccessToken:
        try:
            return self.cloud.protector.check(request, scopes)
        except ExpiredTokenError:
            self.cloud.statistics.count("api.expired")
            status = self.cloud.behaviour.expired_status
            message = {403: "Forbidden", 404: "Not Found"}.get(status, "Unauthorized")
            _refuse(status, code=status, message=message)
        except InsufficientScopeError:
            response = jsonify(code=401, message="Unauthorized; scope does not match")
            response.headers["X-Failure-Category"] = "FAILURE_CLIENT_SCOPE_CHECK"
            abort(make_response(response, 401))
        except OAuth2Error:
            _refuse(401, code=401, message="Unauthorized")

    def _refuse_rate(self) -> NoReturn:
        response = jsonify(code=429, message="Rate limit exceeded")
        response.headers["Retry-After"] = str(self.cloud.rate_limit.seconds_left)
        response.headers["RateLimit-Reason"] = "confluence-quota-global-based"
        abort(make_response(response, 429))


def _refuse(status: int, **body: object) -> NoReturn:
    abort(make_response(jsonify(body), status))
