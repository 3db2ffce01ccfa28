"""OAuth scopes in words that people who consent understand.

Reference: https://developer.atlassian.com/cloud/confluence/scopes-for-oauth-2-3LO-and-forge-apps/
"""

from __future__ import annotations

from collections.abc import Iterable

_CLASSIC = {
    "offline_access": "Stay connected while you are away",
    "read:me": "See your Atlassian profile",
    "read:account": "See the profiles of Atlassian users",
    "report:personal-data": "Tell Atlassian which accounts are stored here",
    "read:confluence-content.all": "Read all content that you can see",
    "read:confluence-content.summary": "Read summaries of content",
    "read:confluence-content.permission": "See who may do what with content",
    "write:confluence-content": "Create and change pages, posts and comments",
    "read:confluence-space.summary": "Read summaries of spaces",
    "write:confluence-space": "Create, change and delete spaces",
    "write:confluence-file": "Upload attachments",
    "readonly:content.attachment:confluence": "Download attachments",
    "read:confluence-props": "Read content properties",
    "write:confluence-props": "Change content properties",
    "manage:confluence-configuration": "Manage Confluence settings",
    "search:confluence": "Search Confluence",
    "read:confluence-user": "See Confluence users",
    "read:confluence-groups": "See Confluence groups",
    "write:confluence-groups": "Create and change Confluence groups",
    "read:content-details:confluence": "Read content with its authors",
    "read:hierarchical-content:confluence": "Read the page tree",
}
_VERBS = {
    "read": "Read {}",
    "write": "Create and change {}",
    "delete": "Delete {}",
}
# The objects of granular scopes, `<verb>:<object>:confluence`.
_OBJECTS = {
    "page": "pages",
    "blogpost": "blog posts",
    "comment": "comments",
    "attachment": "attachments",
    "custom-content": "apps' own content",
    "whiteboard": "whiteboards",
    "database": "databases",
    "folder": "folders",
    "embed": "smart links",
    "content": "content",
    "content.metadata": "summaries of content",
    "content.property": "content properties",
    "content.restriction": "content restrictions",
    "content.permission": "content permissions",
    "space": "spaces",
    "space-details": "details of spaces",
    "space.permission": "space permissions",
    "space.property": "space properties",
    "space.setting": "space settings",
    "label": "labels",
    "task": "tasks",
    "inlinetask": "tasks",
    "template": "templates",
    "watcher": "watches",
    "relation": "relations between things",
    "user": "users",
    "user.property": "user properties",
    "group": "groups",
    "permission": "permissions",
    "email-address": "e-mail addresses",
    "analytics.content": "view counts",
    "audit-log": "audit records",
    "configuration": "settings",
    "app-data": "app properties",
}
# In rising order: a higher one contains the lower ones.
# Reference: https://confluence.atlassian.com/doc/oauth-2-0-scopes-for-incoming-links-1115674734.html
DATA_CENTER = {
    "READ": "Read what you can see, and your profile",
    "WRITE": "Create, change and delete what you may",
    "ADMIN": "Administer Confluence as you may",
    "SYSTEM_ADMIN": "Administer the whole system as you may",
}


def cloud_in_words(scopes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_cloud_words(scope) for scope in scopes))


def _cloud_words(scope: str) -> str:
    if scope in _CLASSIC:
        return _CLASSIC[scope]
    verb, _, rest = scope.partition(":")
    thing = _OBJECTS.get(rest.removesuffix(":confluence"))
    if verb in _VERBS and thing and rest.endswith(":confluence"):
        return _VERBS[verb].format(thing)
    return f"Other permission: {scope}"


def data_center_in_words(scopes: Iterable[str]) -> tuple[str, ...]:
    """Names what a scope contains as well, since nobody sees it in the word."""
    words: dict[str, None] = {}
    for scope in scopes:
        words.update(dict.fromkeys(_data_center_words(scope)))
    return tuple(words)


def _data_center_words(scope: str) -> list[str]:
    ranks = list(DATA_CENTER)
    if scope not in ranks:
        return [f"Other permission: {scope}"]
    return [DATA_CENTER[lower] for lower in ranks[: ranks.index(scope) + 1]]
