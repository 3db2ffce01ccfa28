"""A Data Center server's application: Flask with the blueprints, faults in
front."""

from __future__ import annotations

from flask import Flask, render_template
from flask.typing import ResponseReturnValue

from sandbox.data_center import authorize, rest, server_pages
from sandbox.data_center.state import DataCenter
from sandbox.pages import new_app


def create_app(server: DataCenter) -> Flask:
    app = new_app("sandbox.data_center", server)
    app.register_blueprint(authorize.blueprint(server))
    app.register_blueprint(rest.blueprint(server))
    app.register_blueprint(server_pages.blueprint(server))

    @app.errorhandler(404)
    def not_found(error: Exception) -> ResponseReturnValue:
        return render_template("error.html", problem="Page not found"), 404

    return app
