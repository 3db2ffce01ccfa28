"""`/_sandbox/`: changes and shows what the sandbox does while it runs, as JSON.

There is no token: the servers listen on loopback, and everything here is made
up. Only JSON bodies are taken, which a foreign web page cannot send.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue

from sandbox.part import Part

if TYPE_CHECKING:
    from sandbox.sandbox import Sandbox


def blueprint(sandbox: Sandbox) -> Blueprint:
    control = Blueprint("control", __name__, url_prefix="/_sandbox")

    def part(name: str) -> Part[Any]:
        found = sandbox.parts.get(name)
        return found if found else abort(404)

    @control.errorhandler(ValueError)
    @control.errorhandler(TypeError)
    def refuse(error: Exception) -> ResponseReturnValue:
        return jsonify(error=str(error)), 400

    @control.get("/")
    def everything() -> Response:
        parts = {name: describe(one) for name, one in sandbox.parts.items()}
        return jsonify(now=sandbox.clock.now(), urls=sandbox.urls(), parts=parts)

    @control.post("/reset")
    def reset() -> Response:
        sandbox.reset()
        return jsonify(ok=True)

    @control.post("/clock")
    def clock() -> Response:
        sandbox.clock.advance(float(_body()["advance_seconds"]))
        return jsonify(now=sandbox.clock.now())

    @control.get("/<name>")
    def one(name: str) -> Response:
        return jsonify(describe(part(name)))

    @control.patch("/<name>/behaviour")
    def behaviour(name: str) -> Response:
        part(name).behaviour.change(_body())
        return jsonify(asdict(part(name).behaviour))

    @control.post("/<name>/faults")
    def add_fault(name: str) -> Response:
        return jsonify(asdict(part(name).faults.add(**_body())))

    @control.delete("/<name>/faults")
    def clear_faults(name: str) -> Response:
        part(name).faults.clear(request.args.get("place"))
        return jsonify(part(name).faults.snapshot())

    @control.post("/<name>/release")
    def release(name: str) -> Response:
        part(name).faults.release()
        return jsonify(ok=True)

    @control.post("/<name>/consents")
    def consents(name: str) -> Response:
        return jsonify(part(name).consent_often(**_body()))

    @control.post("/<name>/revoke")
    def revoke(name: str) -> Response:
        return jsonify(ended_families=part(name).revoke(_body()["account"]))

    @control.post("/<name>/password")
    def password(name: str) -> Response:
        return jsonify(ended_families=part(name).change_password(_body()["account"]))

    @control.post("/<name>/client-secret")
    def client_secret(name: str) -> Response:
        body = _body()
        secret = part(name).rotate_client_secret(
            body.get("client_secret"), keep_old=body.get("keep_old", False)
        )
        return jsonify(client_secret=secret)

    @control.post("/<name>/redirect-uris")
    def redirect_uris(name: str) -> Response:
        part(name).register_redirect_uri(_body()["redirect_uri"])
        return jsonify(redirect_uris=part(name).client.redirect_uris)

    @control.post("/cloud/leave-site")
    def leave_site() -> Response:
        sandbox.cloud.leave_site(_body()["account"], _body()["site"])
        return jsonify(ok=True)

    @control.post("/cloud/account")
    def account() -> Response:
        body = _body()
        if "name" in body:
            sandbox.cloud.rename(body["account"], str(body["name"]))
        if "status" in body:
            sandbox.cloud.set_account_status(body["account"], body["status"])
        return jsonify(ok=True)

    @control.get("/cloud/reported")
    def reported() -> Response:
        return jsonify(accounts=sandbox.cloud.reported)

    return control


def describe(part: Part[Any]) -> dict[str, object]:
    return {
        "url": part.url,
        "client_id": part.client.client_id,
        "redirect_uris": part.client.redirect_uris,
        "behaviour": asdict(part.behaviour),
        "faults": part.faults.snapshot(),
        "statistics": part.statistics.snapshot(),
        "families": part.families(),
    }


def _body() -> dict[str, Any]:
    body = request.get_json()
    if not isinstance(body, dict):
        raise TypeError("the body must be an object")
    return body
