"""The sites as people see them in a browser, and pictures. An OAuth token is
refused here whatever its worth: it belongs to the gateway."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from sandbox.avatar import avatar_svg
from sandbox.cloud import people
from sandbox.cloud.state import Cloud
from sandbox.confluence.content import Confluence
from sandbox.confluence.storage_format import view_of


def blueprint(cloud: Cloud) -> Blueprint:
    pages = Blueprint("sites", __name__)

    @pages.get("/site/<slug>/wiki/spaces/<key>/pages/<page_id>")
    @pages.get("/site/<slug>/wiki/spaces/<key>/pages/<page_id>/<path:title>")
    def page(slug: str, key: str, page_id: str, title: str = "") -> ResponseReturnValue:
        site, confluence = _site(cloud, slug)
        found = confluence.page(page_id) if confluence else None
        if not found:
            return _missing()
        # Shown as it is, hostile pages too: the policy in `pages` allows no script.
        view = Markup(view_of(found.storage))  # noqa: S704  # see above
        return render_template("page.html", place=site, page=found, view=view)

    @pages.get("/site/<slug>/wiki/spaces/<key>")
    def space(slug: str, key: str) -> ResponseReturnValue:
        _, confluence = _site(cloud, slug)
        found = confluence.space(key) if confluence else None
        if not (confluence and found):
            return _missing()
        base = f"/site/{slug}/wiki/spaces/{key}/pages"
        links = [(p.title, f"{base}/{p.id}") for p in confluence.pages(found)]
        return render_template("listing.html", title=found.name, links=links)

    @pages.get("/site/<slug>")
    @pages.get("/site/<slug>/wiki")
    def home(slug: str) -> ResponseReturnValue:
        site, confluence = _site(cloud, slug)
        if not site:
            return _missing()
        spaces = confluence.spaces() if confluence else []
        base = f"/site/{slug}/wiki/spaces"
        links = [(space.name, f"{base}/{space.key}") for space in spaces]
        return render_template("listing.html", title=site.name, links=links)

    @pages.get("/site/<slug>/wiki/rest/<path:rest>")
    @pages.get("/site/<slug>/wiki/api/<path:rest>")
    def wrong_host(slug: str, rest: str) -> ResponseReturnValue:
        return jsonify(code=401, message="Unauthorized"), 401

    @pages.get("/avatar/<name>.svg")
    def avatar(name: str) -> Response:
        return Response(avatar_svg(name), mimetype="image/svg+xml")

    return pages


def _site(cloud: Cloud, slug: str) -> tuple[people.Site | None, Confluence | None]:
    site = people.site(slug)
    return site, cloud.confluences.get(site.id) if site else None


def _missing() -> ResponseReturnValue:
    return render_template("error.html", problem="There is nothing here."), 404
