"""What is left of Confluence's REST API v1 on the gateway: search and the
current user. Content and space calls are gone.

Reference: https://developer.atlassian.com/cloud/confluence/rest/v1/intro/
"""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from sandbox.clock import timestamp
from sandbox.cloud import cursor
from sandbox.cloud.gateway import Call, Gateway
from sandbox.cloud.v2_page import page_json, space_json
from sandbox.confluence.content import Page
from sandbox.confluence.cql import CQLError, search

ROOT = "/ex/confluence/<cloud_id>/wiki/rest/api"
# Either the classic scope or its granular twin.
SEARCH_SCOPES = ["search:confluence", "read:content-details:confluence"]
USER_SCOPES = ["read:confluence-user", "read:content-details:confluence"]
DEFAULT_LIMIT, LARGEST_LIMIT = 25, 250
EXCERPT_LENGTH = 200


def refuse(status: int, message: str) -> NoReturn:
    data = {
        "authorized": True,
        "valid": status != 400,
        "errors": [],
        "successful": False,
    }
    body = jsonify(statusCode=status, message=message, data=data)
    abort(make_response(body, status))


def blueprint(gateway: Gateway) -> Blueprint:
    api = Blueprint("v1", __name__, url_prefix=ROOT)
    api.after_request(gateway.finish)

    @api.get("/search")
    def find(cloud_id: str) -> Response:
        call = gateway.admit(cloud_id, SEARCH_SCOPES)
        cql = request.args.get("cql", "")
        try:
            return _results(call, cql, search(call.confluence.pages(), cql))
        except CQLError:
            refuse(400, f"Could not parse cql : {cql}")

    @api.get("/user/current")
    def current_user(cloud_id: str) -> Response:
        call = gateway.admit(cloud_id, USER_SCOPES)
        return jsonify(_user(call, gateway.cloud.url))

    @api.route("/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
    def retired(cloud_id: str, rest: str) -> ResponseReturnValue:
        gateway.admit(cloud_id, None)
        if rest.split("/")[0] in {"content", "space"}:
            refuse(410, "GoneException: This deprecated endpoint has been removed")
        refuse(404, "Not Found")

    return api


def _user(call: Call, url: str) -> dict[str, Any]:
    return {
        "type": "known",
        "accountId": call.account.id,
        "accountType": "atlassian",
        "email": call.account.email,
        "publicName": call.account.login,
        "displayName": call.account.name,
        "profilePicture": {
            "path": f"/avatar/{call.account.login}.svg",
            "width": 48,
            "height": 48,
            "isDefault": False,
        },
        "_links": {"base": f"{call.site_url}/wiki", "context": "/wiki"},
    }


def _results(call: Call, cql: str, found: list[Page]) -> Response:
    """The link to the next results begins after /wiki, unlike that of v2."""
    try:
        after = request.args.get("cursor")
        start = cursor.decode(after) if after else int(request.args.get("start", 0))
        limit = int(request.args.get("limit", DEFAULT_LIMIT))
    except ValueError:
        refuse(400, "limit, start or cursor")
    limit = max(1, min(limit, LARGEST_LIMIT))
    shown = found[start : start + limit]
    links = {"base": f"{call.site_url}/wiki", "context": "/wiki"}
    if start + limit < len(found):
        query = {"cql": cql, "limit": limit, "cursor": cursor.encode(start + limit)}
        links["next"] = f"/rest/api/search?{urlencode(query)}"
    return jsonify(
        results=[_result(page) for page in shown],
        start=start,
        limit=limit,
        size=len(shown),
        totalSize=len(found),
        cqlQuery=cql,
        searchDuration=7,
        _links=links,
    )


def _result(page: Page) -> dict[str, Any]:
    webui = page_json(page)["_links"]["webui"]
    space = space_json(page.space)
    return {
        "content": {
            "id": page.id,
            "type": "page",
            "status": page.status,
            "title": page.title,
            "_links": {"webui": webui},
        },
        "title": page.title,
        "excerpt": page.text[:EXCERPT_LENGTH],
        "url": webui,
        "resultGlobalContainer": {
            "title": page.space.name,
            "displayUrl": space["_links"]["webui"],
        },
        "entityType": "content",
        "lastModified": timestamp(page.modified_at),
    }
