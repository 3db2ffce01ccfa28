from __future__ import annotations

import pytest

from confluence_link.atlassian.paging import (
    cursor_params,
    next_cursor,
    next_of_search,
    next_start,
    start_of,
)
from confluence_link.errors import Rejected
from confluence_link.http import Answer


def following(link=None, *, header="", current=""):
    body = {} if link is None else {"_links": {"next": link}}
    return next_cursor(Answer(200, {"Link": header}, b""), body, current)


@pytest.mark.parametrize(
    "link",
    [
        "/wiki/api/v2/spaces?cursor=abc%3D&limit=2",
        "/api/v2/spaces?limit=2&cursor=abc=",
        "https://evil.example/wiki/wiki?cursor=abc%3D#cursor=no",
        "/rest/api/search?cql=x&start=25&cursor=abc%3D",
    ],
)
def test_s13_only_the_cursor_of_a_link_is_taken(link):
    assert following(link) == "abc="


def test_a_plus_sign_in_a_cursor_stays_one():
    assert following("/x?cursor=a+b%2Bc") == "a+b+c"


def test_a_search_without_cursors_goes_on_by_number():
    assert following("/rest/api/search?cql=x&start=25") == "start:25"
    assert cursor_params("start:25", 10) == {"limit": "10", "start": "25"}


def test_the_link_header_is_read_where_the_body_has_none():
    header = (
        '</wiki/api/v2/spaces?cursor=abc>; rel="next",'
        ' <https://site.example/wiki>; rel="base"'
    )
    assert following(header=header) == "abc"
    assert following(header='<https://site.example/wiki?cursor=no>; rel="base"') == ""


@pytest.mark.parametrize(
    "link",
    ["", "/wiki/api/v2/spaces", "?cursor=", "?cursor=a%20b", "?cursor=%0a", "?start=x"],
)
def test_a_link_without_a_usable_cursor_is_the_end(link):
    assert following(link) == ""


@pytest.mark.parametrize("link", [None, 7, ["x"]])
def test_no_link_is_the_end(link):
    assert following(link) == ""


def test_a_link_back_to_itself_is_the_end():
    assert following("?cursor=abc", current="abc") == ""


def test_a_cursor_goes_back_as_it_came():
    assert cursor_params("", 25) == {"limit": "25"}
    assert cursor_params("abc=&x", 25) == {"limit": "25", "cursor": "abc=&x"}


@pytest.mark.parametrize("cursor", ["a b", "a\n", "ä", "x" * 4001])
def test_a_cursor_that_nobody_gave_us_is_refused(cursor):
    with pytest.raises(Rejected):
        cursor_params(cursor, 25)


def test_data_center_counts():
    link = {"_links": {"next": "/rest/api/space?limit=25&start=50"}}
    odd = {"_links": {"next": "/rest/api/space"}}

    assert next_start(link, 25, 25, 25) == "50"
    assert next_start(odd, 25, 25, 25) == "50"
    assert next_start({"_links": {}}, 25, 25, 25) == ""


@pytest.mark.parametrize(
    ("body", "count", "following"),
    [
        ({}, 25, "50"),
        ({}, 24, ""),
        ({}, 0, ""),
        ({"limit": 10, "size": 10}, 10, "35"),
        ({"limit": 10, "size": 9}, 9, ""),
        ({"limit": 25, "totalSize": 50}, 25, ""),
        ({"limit": 25, "totalSize": 51}, 25, "50"),
    ],
)
def test_without_links_the_numbers_tell_whether_there_is_more(body, count, following):
    assert next_start(body, 25, count, 25) == following


def test_a_search_without_links_goes_on_by_its_numbers():
    def after(body, current="", header=""):
        return next_of_search(Answer(200, {"Link": header}, b""), body, current, 25, 25)

    assert after({"start": 0, "totalSize": 60}) == "start:25"
    assert after({"start": 25, "totalSize": 50}, "start:25") == ""
    assert after({"_links": {"next": "?cursor=abc"}, "totalSize": 60}) == "abc"
    assert after({"totalSize": 60}, header='<?cursor=abc>; rel="next"') == "abc"
    assert after({"_links": {"base": "x"}, "totalSize": 60}) == ""


def test_a_search_that_does_not_count_has_one_slice():
    body = {"start": 0, "totalSize": 60}

    answer = Answer(200, {}, b"")
    assert next_of_search(answer, body, "start:25", 25, 25) == ""


@pytest.mark.parametrize("link", ["?start=25", "?start=0"])
def test_data_center_does_not_go_back(link):
    assert next_start({"_links": {"next": link}}, 25, 25, 25) == ""


def test_data_centers_cursor_is_a_number():
    assert start_of("") == 0
    assert start_of("50") == 50
    for cursor in ("-1", "abc", "1e9", "9" * 10):
        with pytest.raises(Rejected):
            start_of(cursor)
