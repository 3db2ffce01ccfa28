from __future__ import annotations

import re

import pytest

from confluence_link.atlassian import remote_values

API = "https://api.atlassian.com"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Plain", "Plain"),
        ("  two\n\nlines\tand\x00a NUL ", "two lines anda NUL"),
        ("<script>{{7*7}}</script>", "<script>{{7*7}}</script>"),
        ("=cmd()", "=cmd()"),
        ("left\u202eright\u2066", "leftright"),
        ("half \ud800 of a pair", "half of a pair"),
        ("family \U0001f469\u200d\U0001f467", "family \U0001f469\u200d\U0001f467"),
        ("x" * 300, "x" * 255),
        ("y" * 1_000_000, "y" * 255),
        (None, ""),
        (17, ""),
        (["a"], ""),
    ],
)
def test_a_name_is_one_clean_line(said, kept):
    assert remote_values.name(said) == kept


def test_a_document_keeps_its_lines_and_loses_what_xml_refuses():
    assert remote_values.document("a\n\tb\x00\x0b\ud800\uffff") == "a\n\tb"
    assert remote_values.document(None) == ""


@pytest.mark.parametrize(
    ("said", "kept"),
    [("12", "12"), (12, "12"), (True, ""), ("../x", ""), ("12\n", ""), (None, "")],
)
def test_an_identifier_has_its_form_or_is_empty(said, kept):
    assert remote_values.identifier(said, re.compile(r"[0-9]+")) == kept


def test_a_number_is_no_flag_and_no_text():
    assert remote_values.number(3) == 3
    assert remote_values.number(True) == 0
    assert remote_values.number("3") == 0


def test_scopes_are_words_once_each_in_their_order():
    said = ["b:x", "a:x", "b:x", "two words", "", 7, None, 'quo"te', "ö"]

    assert remote_values.scopes(said) == ("b:x", "a:x")
    assert remote_values.scopes("a b") == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://northwind.atlassian.net",
        "https://northwind.atlassian.net:8443/path?size=48",
        "https://1.1.1.1/icon.png",
    ],
)
def test_an_address_on_the_web_is_kept(url):
    assert remote_values.web_url(url, like=API) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:image/svg+xml,x",
        "http://northwind.atlassian.net",
        "ftp://northwind.atlassian.net",
        "//northwind.atlassian.net",
        "https://user@northwind.atlassian.net",
        "https://user:pw@northwind.atlassian.net",
        "https://",
        "https://[",
        "https://a.example:99999",
        "https://a.example/\\evil",
        'https://a.example/"onload=',
        "https://a.example/a b",
        "https://a.example/\n",
        "https://169.254.169.254/latest",
        "https://127.0.0.1",
        "https://[::1]/",
        "https://intranet/",
        "https://wiki.local/",
        "https://metadata.google.internal/",
        "https://a.example/" + "x" * 500,
        "",
        None,
        7,
    ],
)
def test_any_other_address_is_dropped(url):
    assert remote_values.web_url(url, like=API) == ""


def test_a_local_installation_may_name_local_addresses():
    local = "http://127.0.0.1:8101"

    for url in ("http://127.0.0.1:8101/site/a", "http://a.localhost:8101", "https://b"):
        assert remote_values.web_url(url, like=local) == url


def test_a_slash_at_the_end_does_not_count():
    assert remote_values.web_url("https://a.example/", like=API) == "https://a.example"


def test_nothing_is_like_an_address_that_is_none():
    assert remote_values.web_url("https://a.example", like="nonsense") == ""


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("/spaces/TEAM?x=1", "/spaces/TEAM?x=1"),
        ("spaces", ""),
        ("https://evil.example", ""),
        ('/"><script>', ""),
        ("/a\\b", ""),
        ("/" + "x" * 2000, ""),
        (None, ""),
    ],
)
def test_a_link_path_begins_at_the_root(said, kept):
    assert remote_values.link_path(said) == kept
