"""Cloud's application: Flask with the blueprints, faults in front."""

from __future__ import annotations

from flask import Flask

from sandbox.cloud import authorize, identity, sites, v1, v2
from sandbox.cloud.gateway import Gateway
from sandbox.cloud.state import Cloud
from sandbox.pages import new_app


def create_app(cloud: Cloud) -> Flask:
    app = new_app("sandbox.cloud", cloud)
    gateway = Gateway(cloud)
    app.register_blueprint(authorize.blueprint(cloud))
    app.register_blueprint(identity.blueprint(cloud))
    app.register_blueprint(v2.blueprint(gateway))
    app.register_blueprint(v1.blueprint(gateway))
    app.register_blueprint(sites.blueprint(cloud))
    return app
