"""What a Data Center server says about itself to anyone, and its pages as
people see them."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from sandbox.avatar import avatar_svg
from sandbox.confluence.storage_format import view_of
from sandbox.data_center.state import DataCenter

STATE_STATUS = {"MAINTENANCE": 503, "ERROR": 500}


def blueprint(server: DataCenter) -> Blueprint:
    pages = Blueprint("server_pages", __name__, url_prefix=server.context_path)

    @pages.get("/status")
    def status() -> ResponseReturnValue:
        """200 for most states: only the body tells."""
        state = server.behaviour.state
        return jsonify(state=state), STATE_STATUS.get(state, 200)

    @pages.get("/rest/applinks/1.0/manifest")
    def manifest() -> Response:
        fields = {
            "id": server.server_id,
            "name": f"Confluence ({server.name})",
            "typeId": "confluence",
            "version": server.behaviour.server_version,
            "url": server.url,
        }
        best = request.accept_mimetypes.best_match(
            ["application/xml", "application/json"], default="application/xml"
        )
        if best == "application/json":
            return jsonify(fields)
        body = render_template("manifest.xml", fields=fields)
        return Response(body, mimetype="application/xml")

    @pages.get("/pages/viewpage.action")
    def page() -> ResponseReturnValue:
        found = server.confluence.page(request.args.get("pageId", ""))
        if found is None:
            return _missing()
        # Shown as it is, hostile pages too: the policy in `pages` allows no script.
        view = Markup(view_of(found.storage))  # noqa: S704  # as in Confluence
        return render_template("page.html", place=server, page=found, view=view)

    @pages.get("/display/<key>")
    def space(key: str) -> ResponseReturnValue:
        found = server.confluence.space(key)
        if found is None:
            return _missing()
        view = f"{server.context_path}/pages/viewpage.action?pageId="
        links = [(p.title, view + p.id) for p in server.confluence.pages(found)]
        return render_template("listing.html", title=found.name, links=links)

    @pages.get("/")
    def home() -> str:
        base = f"{server.context_path}/display"
        spaces = server.confluence.spaces()
        links = [(space.name, f"{base}/{space.key}") for space in spaces]
        return render_template("listing.html", title=server.name, links=links)

    @pages.get("/avatar/<name>.svg")
    def avatar(name: str) -> Response:
        return Response(avatar_svg(name), mimetype="image/svg+xml")

    return pages


def _missing() -> ResponseReturnValue:
    return render_template("error.html", problem="Page not found"), 404
