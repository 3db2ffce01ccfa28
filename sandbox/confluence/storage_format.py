"""Turns storage format into the other representations, as far as the seeded
pages need it. Nothing is made safe here: Confluence's answers are not either.

Reference: https://confluence.atlassian.com/doc/confluence-storage-format-790796544.html
"""

from __future__ import annotations

import html
import json
import re

CODE_MACRO = re.compile(
    r'<ac:structured-macro[^>]*ac:name="code".*?<!\[CDATA\[(.*?)\]\]>'
    r".*?</ac:structured-macro>",
    re.DOTALL,
)
OTHER_MACRO_TAG = re.compile(r"</?(?:ac|ri):[^>]*>")
CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")


def view_of(storage: str) -> str:
    """The HTML that Confluence would show."""

    def panel(macro: re.Match[str]) -> str:
        code = html.escape(macro[1])
        return f'<div class="code panel"><pre>{code}</pre></div>'

    return OTHER_MACRO_TAG.sub("", CODE_MACRO.sub(panel, storage))


def text_of(storage: str) -> str:
    plain = CDATA.sub(lambda found: html.escape(found[1]), storage)
    return " ".join(html.unescape(TAG.sub(" ", plain)).split())


def document_of(storage: str) -> str:
    """Atlassian document format, one paragraph of plain text."""
    text = text_of(storage)
    content = [{"type": "text", "text": text}] if text else []
    paragraph = {"type": "paragraph", "content": content}
    return json.dumps({"type": "doc", "version": 1, "content": [paragraph]})


def represent(storage: str, representation: str) -> str:
    if representation == "storage":
        return storage
    if representation == "atlas_doc_format":
        return document_of(storage)
    return view_of(storage)
