"""Confluence's storage format: made from plain text, and shown as safe HTML.

Reference: https://confluence.atlassian.com/doc/confluence-storage-format-790796544.html
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable

import nh3
from django.utils.safestring import SafeString

from confluence_link.atlassian.remote_values import document

_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote"),
    *("ul", "ol", "li", "dl", "dt", "dd", "pre", "code", "a", "div", "span"),
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot"),
    *("tr", "th", "td", "strong", "b", "em", "i", "u", "s", "del", "ins"),
    *("sub", "sup", "small", "kbd", "samp", "var", "q", "cite"),
}
_CELL = {"colspan", "rowspan"}
_ATTRIBUTES = {"a": {"href", "title"}, "th": _CELL, "td": _CELL}
# Gone with everything inside: what is no text of the page.
_GONE = {
    *("script", "style", "template", "noscript", "iframe", "object", "title"),
    *("svg", "math", "textarea", "select", "xmp", "noembed", "noframes"),
    *("ac:parameter", "ac:task-id", "ac:task-uuid", "ac:task-status"),
    *("ac:placeholder", "ac:adf-attribute"),
}
# What these tags of Confluence's own are in HTML; its others go, and their text stays.
_OWN_TAGS = {"ac:plain-text-body": "pre", "ac:task-list": "ul", "ac:task": "li"}
_VOID = {"br", "hr", "col"}
# Each pattern stops at the next `<`, so that no input is read over and over. No
# possessive quantifier: Python before 3.11.5 gets it wrong around a group.
_TAG = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9:-]*)"
    r"((?:[^<>\"'/]|/(?!>)|\"[^\"<]*\"|'[^'<]*')*)(/?)>"
)
_PAGE_LINK = re.compile(
    r"<ac:link[^<>]{0,500}>\s{0,50}"
    r"<ri:page [^<>]{0,500}?ri:content-title=\"([^\"<>]{1,500})\"[^<>]{0,500}/>"
    r"\s{0,50}</ac:link>"
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Deeper tags go and their text stays: an HTML parser's time grows with the square
# of the depth, and pages are written by anyone.
_DEEPEST = 50


def from_plain_text(text: str) -> str:
    """Paragraphs as in the text: an empty line parts them, a new line stays one."""
    lines = document(text).replace("\r\n", "\n").replace("\r", "\n").strip()
    paragraphs = re.split(r"\n\s*\n", lines) if lines else []
    return "".join(f"<p>{_with_breaks(paragraph)}</p>" for paragraph in paragraphs)


def _with_breaks(paragraph: str) -> str:
    return html.escape(paragraph, quote=False).replace("\n", "<br/>")


def to_safe_html(storage: str) -> SafeString:
    """The text of a page for our own pages: no scripts, images, styles or forms.

    Everything before the last step makes HTML of storage format, which is XML, in
    linear time; that step alone makes it safe, whatever came before.
    """
    body = _replaced(document(storage), "<!--", "-->", lambda comment: "")
    body = _replaced(body, "<![CDATA[", "]]>", html.escape)
    return SafeString(_sanitized(_balanced(_PAGE_LINK.sub(r"\1", body))))


def _sanitized(body: str) -> str:
    return nh3.clean(
        body,
        tags=_TAGS,
        clean_content_tags=_GONE,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https"},
        # A relative address would lead into our own pages.
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )


def _replaced(text: str, begin: str, end: str, new: Callable[[str], str]) -> str:
    """Every section between `begin` and `end`, replaced by what `new` makes of it."""
    parts, position = [], 0
    while (start := text.find(begin, position)) >= 0:
        inside = start + len(begin)
        stop = text.find(end, inside)
        if stop < 0:
            break
        parts += [text[position:start], new(text[inside:stop])]
        position = stop + len(end)
    return "".join((*parts, text[position:]))


def _balanced(body: str) -> str:
    """Only tags that HTML knows, each closed where it has to be."""
    writer, position = _Writer(), 0
    for tag in _TAG.finditer(body):
        writer.text(body[position : tag.start()])
        writer.tag(tag)
        position = tag.end()
    writer.text(body[position:])
    return writer.result()


class _Writer:
    def __init__(self) -> None:
        self._parts: list[str] = []
        # The open elements, and whether each was written.
        self._open: list[tuple[str, bool]] = []
        self._count: Counter[str] = Counter()
        self._depth = 0

    def text(self, text: str) -> None:
        plain = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
        escaped = html.escape(plain, quote=False)
        # The time that nh3 takes grows with the square of the ampersands in one
        # piece of text; a comment parts the pieces, and does not come out.
        self._parts.append(escaped.replace("&amp;", "&amp;<!---->"))

    def tag(self, tag: re.Match[str]) -> None:
        closing, name, attributes, closed = tag.groups()
        name = _OWN_TAGS.get(name.lower(), name.lower())
        if name in _VOID:
            self._parts.append(f"<{name}>")
        elif not closing:
            self._start(name, attributes)
        if (closing or closed) and self._count[name]:
            self._end(name)

    def _start(self, name: str, attributes: str) -> None:
        written = name in _TAGS | _GONE and self._depth < _DEEPEST
        self._open.append((name, written))
        self._count[name] += 1
        if written:
            self._depth += 1
            kept = attributes if name in _ATTRIBUTES else ""
            self._parts.append(f"<{name}{kept}>")

    def _end(self, name: str) -> None:
        """Closes what is still open inside as well."""
        closed = ""
        while closed != name:
            closed, written = self._open.pop()
            self._count[closed] -= 1
            if written:
                self._depth -= 1
                self._parts.append(f"</{closed}>")

    def result(self) -> str:
        # The parser closes what is open at the end.
        return "".join(self._parts)
