from __future__ import annotations

import pytest

from sandbox.confluence.content import Page, Space
from sandbox.confluence.cql import CQLError, search

SPACE = Space("1", "TEAM", "Team", created_at=0)


def page(title, storage="", modified_at=0.0):
    return Page(
        title,
        SPACE,
        title,
        storage,
        "author",
        created_at=0,
        modified_at=modified_at,
    )


PAGES = [
    page("Apple pie", "<p>Sugar &amp; spice</p>", 3),
    page("Banana bread", "<p>No sugar</p>", 1),
    page('The "quoted" one', "<p>Nothing</p>", 2),
]


@pytest.mark.parametrize(
    ("cql", "titles"),
    [
        ('text ~ "sugar"', ["Apple pie", "Banana bread"]),
        ('text ~ "spice sugar"', ["Apple pie"]),
        ('text ~ "ban*"', ["Banana bread"]),
        ('title ~ "pie" AND type = page', ["Apple pie"]),
        ('title = "The \\"quoted\\" one"', ['The "quoted" one']),
        ("space = TEAM and type = blogpost", []),
        (
            "type=page order by lastmodified desc",
            ["Apple pie", 'The "quoted" one', "Banana bread"],
        ),
    ],
)
def test_query_finds(cql, titles):
    assert [found.title for found in search(PAGES, cql)] == titles


@pytest.mark.parametrize(
    "cql",
    [
        "",
        "text",
        'text ~ "open',
        "text like x",
        "type = page or type = blogpost",
        "type = page and",
        "order by title",
        "type = page order by colour",
        "type = page order by title sideways",
        "type = page order by title asc more",
        '"type" = page',
    ],
)
def test_anything_else_is_refused(cql):
    with pytest.raises(CQLError):
        search(PAGES, cql)
