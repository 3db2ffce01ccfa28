"""The part of Data Center's REST API v1 that the sandbox answers.

Reference: https://docs.atlassian.com/ConfluenceServer/rest/
There is no API v2 here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from sandbox.confluence.content import Page, TitleTaken, VersionConflict
from sandbox.confluence.cql import CQLError, search
from sandbox.data_center.representations import (
    page_json,
    result_json,
    space_json,
    user_json,
)
from sandbox.data_center.session import reader, refuse, writer
from sandbox.data_center.state import DataCenter

DEFAULT_LIMIT, LARGEST_LIMIT = 25, 200
T = TypeVar("T")


def blueprint(server: DataCenter) -> Blueprint:
    prefix = f"{server.context_path}/rest/api"
    api = Blueprint("rest", __name__, url_prefix=prefix)

    @api.get("/user/current")
    def current_user() -> Response:
        return jsonify(user_json(server, reader(server)))

    @api.get("/space")
    def spaces() -> Response:
        reader(server)
        found = server.confluence.spaces()
        return _listing(server, found, lambda one: space_json(server, one))

    @api.get("/space/<key>")
    def space(key: str) -> Response:
        reader(server)
        found = server.confluence.space(key)
        if found is None or found.key != key:
            refuse(404, f"No space with key : {key}")
        return jsonify(space_json(server, found))

    @api.get("/content")
    def contents() -> Response:
        reader(server)
        found = _wanted(server)
        return _listing(server, found, lambda one: page_json(server, one, _expand()))

    @api.get("/content/<int:page_id>")
    def content(page_id: int) -> Response:
        reader(server)
        page = _page(server, str(page_id))
        return jsonify(_with_base(server, page_json(server, page, _expand())))

    @api.post("/content")
    def create() -> Response:
        user = writer(server)
        body = _body()
        try:
            page = _created(server, body, user.key)
        except TitleTaken as taken:
            refuse(400, f"A page with this title already exists: {taken}")
        return jsonify(_with_base(server, page_json(server, page, WRITTEN)))

    @api.put("/content/<int:page_id>")
    def update(page_id: int) -> Response:
        writer(server)
        page = _page(server, str(page_id))
        try:
            page = _updated(server, page, _body())
        except VersionConflict:
            refuse(409, "Version must be incremented on update")
        return jsonify(_with_base(server, page_json(server, page, WRITTEN)))

    @api.delete("/content/<int:page_id>")
    def delete(page_id: int) -> ResponseReturnValue:
        writer(server)
        server.confluence.delete_page(_page(server, str(page_id)))
        return "", 204

    @api.get("/content/search")
    def content_search() -> Response:
        reader(server)
        found = _found(server)
        return _listing(server, found, lambda one: page_json(server, one, _expand()))

    @api.get("/search")
    def site_search() -> Response:
        reader(server)
        found = _found(server)
        more = {"totalSize": len(found), "cqlQuery": request.args.get("cql", "")}
        return _listing(server, found, lambda one: result_json(server, one), **more)

    return api


WRITTEN = {"body.storage", "version", "space"}


def _expand() -> set[str]:
    return set(request.args.get("expand", "").split(","))


def _wanted(server: DataCenter) -> list[Page]:
    asked = request.args
    if asked.get("type", "page") != "page":
        return []
    space = None
    if "spaceKey" in asked:
        space = server.confluence.space(asked["spaceKey"])
        if space is None:
            refuse(404, f"No space with key : {asked['spaceKey']}")
    pages = server.confluence.pages(space)
    return [p for p in pages if "title" not in asked or p.title == asked["title"]]


def _page(server: DataCenter, page_id: str) -> Page:
    page = server.confluence.page(page_id)
    if page is None:
        refuse(404, f"No content found with id: ContentId{{id={page_id}}}")
    return page


def _found(server: DataCenter) -> list[Page]:
    cql = request.args.get("cql", "")
    try:
        return search(server.confluence.pages(), cql)
    except CQLError:
        refuse(400, f"Could not parse cql : {cql}")


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or body.get("type") != "page":
        refuse(400, "type must be page")
    if not isinstance(body.get("title"), str) or not body["title"].strip():
        refuse(400, "title is required")
    return body


def _storage(body: dict[str, Any]) -> str:
    storage = (body.get("body") or {}).get("storage") or {}
    if storage.get("representation", "storage") != "storage":
        refuse(400, "body.storage.representation must be storage")
    return str(storage.get("value", ""))


def _created(server: DataCenter, body: dict[str, Any], author_id: str) -> Page:
    """Spaces are named by key here, never by id."""
    key = (body.get("space") or {}).get("key")
    space = server.confluence.space(str(key))
    if space is None or space.key != key:
        refuse(404, f"No space with key : {key}")
    ancestors = body.get("ancestors") or []
    parent_id = str(ancestors[-1]["id"]) if ancestors else None
    if parent_id:
        _page(server, parent_id)
    return server.confluence.add_page(
        space=space,
        title=body["title"],
        storage=_storage(body),
        author_id=author_id,
        at=server.clock.now(),
        parent_id=parent_id,
    )


def _updated(server: DataCenter, page: Page, body: dict[str, Any]) -> Page:
    number = (body.get("version") or {}).get("number")
    if not isinstance(number, int):
        refuse(400, "version.number is required")
    return server.confluence.update_page(
        page,
        title=body["title"],
        storage=_storage(body),
        version=number,
        at=server.clock.now(),
    )


def _with_base(server: DataCenter, item: dict[str, Any]) -> dict[str, Any]:
    links = {"base": server.url, "context": server.context_path}
    return {**item, "_links": {**item["_links"], **links}}


def _listing(
    server: DataCenter,
    items: Sequence[T],
    show: Callable[[T], dict[str, Any]],
    **more: object,
) -> Response:
    """`next` is relative to the base, and lacks the context path."""
    start = request.args.get("start", 0, type=int)
    limit = request.args.get("limit", DEFAULT_LIMIT, type=int)
    start, limit = max(0, start), max(1, min(limit, LARGEST_LIMIT))
    shown = items[start : start + limit]
    path = request.path.removeprefix(server.context_path)
    links = {
        "self": f"{server.url}{path}",
        "base": server.url,
        "context": server.context_path,
    }
    if start + limit < len(items):
        kept = {k: v for k, v in request.args.items() if k not in {"start", "limit"}}
        query = urlencode({**kept, "limit": limit, "start": start + limit})
        links["next"] = f"{path}?{query}"
    results = [show(item) for item in shown]
    return jsonify(
        results=results, start=start, limit=limit, size=len(shown), _links=links, **more
    )
