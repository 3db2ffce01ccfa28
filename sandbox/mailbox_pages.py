"""`/mailbox`: the mails that the demo sent, for people and as JSON."""

from __future__ import annotations

import re
from dataclasses import asdict

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from sandbox.clock import timestamp
from sandbox.mailbox import Mail, Mailbox

LINK = re.compile(r"https?://[^\s<>\"')\]]+")


def blueprint(mailbox: Mailbox) -> Blueprint:
    pages = Blueprint("mailbox", __name__)
    pages.add_app_template_filter(linked)
    pages.add_app_template_filter(timestamp)

    @pages.get("/mailbox")
    def show() -> str:
        mails = mailbox.mails(request.args.get("to"))
        return render_template("mailbox.html", mails=mails)

    @pages.get("/mailbox.json")
    def as_json() -> Response:
        return jsonify([_json(mail) for mail in mailbox.mails(request.args.get("to"))])

    @pages.delete("/mailbox.json")
    def clear() -> ResponseReturnValue:
        mailbox.clear()
        return "", 204

    return pages


def _json(mail: Mail) -> dict[str, object]:
    return {**asdict(mail), "links": links(mail.text)}


def links(text: str) -> list[str]:
    return [link.rstrip(".,;") for link in LINK.findall(text)]


def linked(text: str) -> Markup:
    """The text with everything escaped and its links made clickable."""
    shown, position = Markup(), 0
    for link in links(text):
        start = text.index(link, position)
        shown += text[position:start]
        shown += Markup('<a href="{0}">{0}</a>').format(link)
        position = start + len(link)
    return shown + text[position:]
