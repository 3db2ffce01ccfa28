"""Spaces and content as Data Center's REST API writes them.

Reference: https://docs.atlassian.com/ConfluenceServer/rest/
"""

from __future__ import annotations

from typing import Any

from sandbox.clock import timestamp
from sandbox.confluence.content import Page, Space
from sandbox.confluence.storage_format import represent
from sandbox.data_center.state import DataCenter, User

BODIES = {"storage", "view", "export_view", "styled_view", "editor"}


def user_json(server: DataCenter, user: User | None) -> dict[str, Any]:
    name = user.username if user else "anonymous"
    picture = {
        "path": f"{server.context_path}/avatar/{name}.svg",
        "width": 48,
        "height": 48,
        "isDefault": True,
    }
    if user is None:
        known = {"type": "anonymous", "displayName": "Anonymous"}
    else:
        known = {
            "type": "known",
            "username": user.username,
            "userKey": user.key,
            "displayName": user.name,
        }
    return {**known, "profilePicture": picture}


def space_json(server: DataCenter, space: Space) -> dict[str, Any]:
    return {
        "id": int(space.id),
        "key": space.key,
        "name": space.name,
        "status": "CURRENT",
        "type": space.type,
        "_links": {
            "webui": f"/display/{space.key}",
            "self": f"{server.url}/rest/api/space/{space.key}",
        },
    }


def page_json(server: DataCenter, page: Page, expand: set[str]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": page.id,
        "type": "page",
        "status": page.status,
        "title": page.title,
        "_links": {
            "webui": f"/pages/viewpage.action?pageId={page.id}",
            "tinyui": f"/x/{page.id}",
            "self": f"{server.url}/rest/api/content/{page.id}",
        },
    }
    if "space" in expand:
        item["space"] = space_json(server, page.space)
    if "version" in expand:
        item["version"] = {
            "number": page.version,
            "when": timestamp(page.modified_at),
            "message": page.message,
            "minorEdit": False,
            "by": user_json(server, server.user(page.author_id)),
        }
    bodies = BODIES & {name.removeprefix("body.") for name in expand}
    if bodies:
        item["body"] = {
            name: {"value": represent(page.storage, name), "representation": name}
            for name in sorted(bodies)
        }
    return item


def result_json(server: DataCenter, page: Page) -> dict[str, Any]:
    """One hit of `/rest/api/search`."""
    content = page_json(server, page, {"space"})
    return {
        "content": content,
        "title": page.title,
        "excerpt": page.text[:200],
        "url": content["_links"]["webui"],
        "resultGlobalContainer": {
            "title": page.space.name,
            "displayUrl": f"/display/{page.space.key}",
        },
        "entityType": "content",
        "lastModified": timestamp(page.modified_at),
    }
