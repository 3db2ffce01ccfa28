"""Spaces and pages as API v2 writes and reads them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

from sandbox.clock import timestamp
from sandbox.cloud.gateway import Call
from sandbox.confluence.content import Page, Space
from sandbox.confluence.storage_format import represent

WRITABLE = {"storage", "wiki", "atlas_doc_format"}


def space_json(space: Space) -> dict[str, Any]:
    return {
        "id": space.id,
        "key": space.key,
        "name": space.name,
        "type": space.type,
        "status": space.status,
        "authorId": None,
        "createdAt": timestamp(space.created_at),
        "homepageId": space.homepage_id,
        "description": None,
        "icon": None,
        "_links": {"webui": f"/spaces/{space.key}"},
    }


def page_json(page: Page, body_format: str | None = None) -> dict[str, Any]:
    body = {}
    if body_format:
        value = represent(page.storage, body_format)
        body = {body_format: {"representation": body_format, "value": value}}
    where = f"/spaces/{page.space.key}/pages"
    return {
        "id": page.id,
        "status": page.status,
        "title": page.title,
        "spaceId": page.space.id,
        "parentId": page.parent_id,
        "parentType": "page" if page.parent_id else None,
        "position": None,
        "authorId": page.author_id,
        "ownerId": page.author_id,
        "lastOwnerId": None,
        "createdAt": timestamp(page.created_at),
        "version": {
            "createdAt": timestamp(page.modified_at),
            "message": page.message,
            "number": page.version,
            "minorEdit": False,
            "authorId": page.author_id,
        },
        "body": body,
        "_links": {
            "webui": f"{where}/{page.id}/{quote_plus(page.title)}",
            "editui": f"{where}/edit-v2/{page.id}",
            "tinyui": f"/x/{page.id}",
        },
    }


def created(call: Call, body: Any, now: float) -> Page:
    """A page from the body of a POST; `ValueError` says what is wrong."""
    if not isinstance(body, dict) or not body.get("spaceId"):
        raise ValueError("spaceId is required")
    space = call.confluence.space(str(body["spaceId"]))
    if space is None or space.id != str(body["spaceId"]):
        raise ValueError("spaceId: no such space")
    parent_id = body.get("parentId")
    if parent_id is not None and call.confluence.page(str(parent_id)) is None:
        raise ValueError("parentId: no such page")
    status = body.get("status", "current")
    if status not in {"current", "draft"}:
        raise ValueError("status: current or draft")
    return call.confluence.add_page(
        space=space,
        title=_title(body),
        storage=_storage(body),
        author_id=call.account.id,
        at=now,
        parent_id=str(parent_id) if parent_id is not None else None,
        status=status,
    )


def updated(call: Call, page: Page, body: Any, now: float) -> Page:
    if not isinstance(body, dict) or str(body.get("id")) != page.id:
        raise ValueError("id must be that of the page")
    version = body.get("version")
    if not isinstance(version, dict) or not isinstance(version.get("number"), int):
        raise ValueError("version.number is required")
    return call.confluence.update_page(
        page,
        title=_title(body),
        storage=_storage(body),
        version=version["number"],
        at=now,
    )


def _title(body: dict[str, Any]) -> str:
    title = body.get("title")
    if not isinstance(title, str) or not title.strip() or len(title) > 255:
        raise ValueError("title: 1 to 255 characters")
    return title


def _storage(body: dict[str, Any]) -> str:
    content = body.get("body") or {"representation": "storage", "value": ""}
    if not isinstance(content, dict) or not isinstance(content.get("value"), str):
        raise ValueError("body.value is required")
    if content.get("representation") not in WRITABLE:
        raise ValueError(f"body.representation: one of {sorted(WRITABLE)}")
    return str(content["value"])
