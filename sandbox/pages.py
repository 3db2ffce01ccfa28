"""A Flask application as every part of the sandbox has it."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response

from sandbox.faults.injection import FaultInjection
from sandbox.part import Part

# No script anywhere. `form-action` is left open on purpose: consent forms end
# in a redirect to whoever asked.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def new_app(name: str, part: Part[Any]) -> Flask:
    app = Flask(
        name,
        root_path=__file__.rpartition("/")[0],
        static_url_path="/_static",
    )
    app.wsgi_app = FaultInjection(app.wsgi_app, part.faults, part.place)  # type: ignore[method-assign]
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
