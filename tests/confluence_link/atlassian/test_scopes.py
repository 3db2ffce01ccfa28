from __future__ import annotations

import pytest
from django.conf import settings

from confluence_link.atlassian.scopes import cloud_in_words, data_center_in_words


def test_the_scopes_that_we_ask_for_have_words():
    words = cloud_in_words(settings.CONFLUENCE_CLOUD_SCOPES)

    assert words == (
        "Stay connected while you are away",
        "See your Atlassian profile",
        "See Confluence users",
        "Search Confluence",
        "Read spaces",
        "Read pages",
        "Create and change pages",
    )


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("report:personal-data", "Tell Atlassian which accounts are stored here"),
        ("delete:page:confluence", "Delete pages"),
        ("read:space.permission:confluence", "Read space permissions"),
        ("write:confluence-content", "Create and change pages, posts and comments"),
        ("read:hierarchical-content:confluence", "Read the page tree"),
        ("read:jira-work", "Other permission: read:jira-work"),
        ("read:page:jira", "Other permission: read:page:jira"),
        ("admin:page:confluence", "Other permission: admin:page:confluence"),
        ("read:nonsense:confluence", "Other permission: read:nonsense:confluence"),
    ],
)
def test_a_cloud_scope_in_words(scope, words):
    assert cloud_in_words([scope]) == (words,)


def test_the_same_words_are_said_once():
    scopes = ["read:task:confluence", "read:inlinetask:confluence"]

    assert cloud_in_words(scopes) == ("Read tasks",)


def test_a_data_center_scope_says_what_it_contains():
    assert data_center_in_words(["WRITE", "READ"]) == (
        "Read what you can see, and your profile",
        "Create, change and delete what you may",
    )
    assert len(data_center_in_words(["SYSTEM_ADMIN"])) == 4
    assert data_center_in_words(["OTHER"]) == ("Other permission: OTHER",)
