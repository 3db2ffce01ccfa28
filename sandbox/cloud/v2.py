"""Confluence's REST API v2 through the gateway: spaces and pages.

Reference: https://developer.atlassian.com/cloud/confluence/rest/v2/intro/
It takes granular scopes only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from sandbox.cloud import cursor
from sandbox.cloud.gateway import Call, Gateway
from sandbox.cloud.v2_page import created, page_json, space_json, updated
from sandbox.confluence.content import Page, TitleTaken, VersionConflict

ROOT = "/ex/confluence/<cloud_id>/wiki/api/v2"
LIST_FORMATS = {"storage", "atlas_doc_format"}
PAGE_FORMATS = LIST_FORMATS | {
    "view",
    "export_view",
    "styled_view",
    "anonymous_export_view",
    "editor",
}
DEFAULT_LIMIT, LARGEST_LIMIT = 25, 250
T = TypeVar("T")


def refuse(status: int, code: str, title: str) -> NoReturn:
    error = {"status": status, "code": code, "title": title, "detail": None}
    abort(make_response(jsonify(errors=[error]), status))


def blueprint(gateway: Gateway) -> Blueprint:
    api = Blueprint("v2", __name__, url_prefix=ROOT)
    api.after_request(gateway.finish)

    @api.get("/spaces")
    def spaces(cloud_id: str) -> Response:
        call = gateway.admit(cloud_id, ["read:space:confluence"])
        found = [space for space in call.confluence.spaces() if _wanted(space)]
        return _listing(call, found, space_json)

    @api.get("/spaces/<space_id>")
    def space(cloud_id: str, space_id: str) -> Response:
        call = gateway.admit(cloud_id, ["read:space:confluence"])
        one = call.confluence.space(space_id)
        if one is None or one.id != space_id:
            refuse(404, "NOT_FOUND", "Space not found")
        return jsonify(_with_base(call, space_json(one)))

    @api.get("/pages")
    def pages(cloud_id: str) -> Response:
        call = gateway.admit(cloud_id, ["read:page:confluence"])
        return _pages(call, call.confluence.pages())

    @api.get("/spaces/<space_id>/pages")
    def pages_of_space(cloud_id: str, space_id: str) -> Response:
        call = gateway.admit(cloud_id, ["read:page:confluence"])
        space = call.confluence.space(space_id)
        if space is None or space.id != space_id:
            refuse(404, "NOT_FOUND", "Space not found")
        return _pages(call, call.confluence.pages(space))

    @api.get("/pages/<page_id>")
    def page(cloud_id: str, page_id: str) -> Response:
        call = gateway.admit(cloud_id, ["read:page:confluence"])
        one = _page(call, page_id)
        return jsonify(_with_base(call, page_json(one, _body_format(PAGE_FORMATS))))

    @api.post("/pages")
    def create(cloud_id: str) -> Response:
        call = gateway.admit(cloud_id, ["write:page:confluence"])
        now = gateway.cloud.clock.now()
        try:
            one = created(call, request.get_json(silent=True), now)
        except TitleTaken:
            title = "A page already exists with the same TITLE in this space"
            refuse(400, "INVALID_REQUEST_PARAMETER", title)
        except ValueError as error:
            refuse(400, "INVALID_REQUEST_PARAMETER", str(error))
        return jsonify(_with_base(call, page_json(one, "storage")))

    @api.put("/pages/<page_id>")
    def update(cloud_id: str, page_id: str) -> Response:
        call = gateway.admit(cloud_id, ["write:page:confluence"])
        now = gateway.cloud.clock.now()
        body = request.get_json(silent=True)
        try:
            one = updated(call, _page(call, page_id), body, now)
        except VersionConflict:
            refuse(409, "CONFLICT", "Version must be incremented on update")
        except ValueError as error:
            refuse(400, "INVALID_REQUEST_PARAMETER", str(error))
        return jsonify(_with_base(call, page_json(one, "storage")))

    @api.delete("/pages/<page_id>")
    def delete(cloud_id: str, page_id: str) -> ResponseReturnValue:
        call = gateway.admit(cloud_id, ["delete:page:confluence"])
        call.confluence.delete_page(_page(call, page_id))
        return "", 204

    @api.route("/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
    def unknown(cloud_id: str, rest: str) -> ResponseReturnValue:
        gateway.admit(cloud_id, None)
        refuse(404, "NOT_FOUND", "Not Found")

    return api


def _wanted(space: Any) -> bool:
    filters = {
        "keys": space.key,
        "ids": space.id,
        "type": space.type,
        "status": space.status,
    }
    return all(
        name not in request.args
        or value in ",".join(request.args.getlist(name)).split(",")
        for name, value in filters.items()
    )


def _page(call: Call, page_id: str) -> Page:
    page = call.confluence.page(page_id)
    if page is None:
        refuse(404, "NOT_FOUND", "Page not found")
    return page


def _pages(call: Call, pages: Sequence[Page]) -> Response:
    asked = request.args
    wanted = [
        page
        for page in pages
        if ("title" not in asked or page.title == asked["title"])
        and ("space-id" not in asked or page.space.id in asked.getlist("space-id"))
    ]
    if asked.get("sort", "").lstrip("-") == "modified-date":
        newest_first = asked["sort"].startswith("-")
        wanted.sort(key=lambda page: page.modified_at, reverse=newest_first)
    body_format = _body_format(LIST_FORMATS)
    return _listing(call, wanted, lambda page: page_json(page, body_format))


def _body_format(known: set[str]) -> str | None:
    asked = request.args.get("body-format")
    if asked is not None and asked not in known:
        refuse(400, "INVALID_REQUEST_PARAMETER", f"body-format: {asked}")
    return asked


def _with_base(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    links = {**item["_links"], "base": f"{call.site_url}/wiki"}
    return {**item, "_links": links}


def _listing(
    call: Call, items: Sequence[T], show: Callable[[T], dict[str, Any]]
) -> Response:
    """One page of a list; the link to the next stands in header and body. It
    begins with /wiki, and so does the path of the base: do not join them."""
    try:
        start = cursor.decode(request.args.get("cursor"))
        limit = int(request.args.get("limit", DEFAULT_LIMIT))
    except ValueError:
        refuse(400, "INVALID_REQUEST_PARAMETER", "limit or cursor")
    if not 1 <= limit <= LARGEST_LIMIT:
        refuse(400, "INVALID_REQUEST_PARAMETER", f"limit: 1 to {LARGEST_LIMIT}")
    base = f"{call.site_url}/wiki"
    links = {"base": base}
    header = f'<{base}>; rel="base"'
    if start + limit < len(items):
        path = request.path.removeprefix(f"/ex/confluence/{call.site.id}")
        asked = [(k, v) for k, v in request.args.items(multi=True) if k != "cursor"]
        query = urlencode([*asked, ("cursor", cursor.encode(start + limit))])
        links["next"] = f"{path}?{query}"
        header = f'<{links["next"]}>; rel="next", {header}'
    results = [show(item) for item in items[start : start + limit]]
    response = jsonify(results=results, _links=links)
    response.headers["Link"] = header
    return response
