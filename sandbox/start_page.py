"""`/`: says what this is, and has the switches that a person trying the product
wants, as plain forms. The control API can do more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.cloud import people
from sandbox.part import Part

if TYPE_CHECKING:
    from sandbox.sandbox import Sandbox

Switch = Callable[[Part[Any]], object]

SWITCHES: dict[str, tuple[str, Switch]] = {
    "refuse": (
        "Refuse every token exchange",
        lambda part: part.faults.add("token", "invalid_grant"),
    ),
    "token-down": (
        "Token endpoint answers 500",
        lambda part: part.faults.add("token", "server_error"),
    ),
    "token-busy": (
        "Token endpoint answers 429",
        lambda part: part.faults.add("token", "rate_limited", retry_after="30"),
    ),
    "token-login": (
        "Token endpoint shows a login page",
        lambda part: part.faults.add("token", "login_page"),
    ),
    "lose-answer": (
        "Lose the next token answer",
        lambda part: part.faults.add("token", "drop_after", times=1),
    ),
    "api-down": (
        "Confluence answers 503",
        lambda part: part.faults.add("api", "unavailable"),
    ),
    "short": (
        "Access tokens live 20 seconds",
        lambda part: part.behaviour.change({"access_token_seconds": 20}),
    ),
    "secret": (
        "Change the client secret",
        lambda part: part.rotate_client_secret(),
    ),
    "clear": ("Clear the faults", lambda part: part.faults.clear()),
    "reset": ("Reset this part", lambda part: part.reset()),
}
PERSON_SWITCHES: dict[str, tuple[str, Callable[[Part[Any], str], object]]] = {
    "revoke": ("removes the app", lambda part, who: part.revoke(who)),
    "password": (
        "changes the password",
        lambda part, who: part.change_password(who),
    ),
}


def blueprint(sandbox: Sandbox) -> Blueprint:
    pages = Blueprint("start_page", __name__)

    @pages.get("/")
    def start() -> str:
        return render_template(
            "start.html",
            sandbox=sandbox,
            accounts=people.ACCOUNTS,
            switches=SWITCHES,
            person_switches=PERSON_SWITCHES,
        )

    @pages.post("/switch/<name>")
    def switch(name: str) -> ResponseReturnValue:
        part = sandbox.parts.get(name) or abort(404)
        chosen = request.form.get("switch", "")
        if chosen in SWITCHES:
            SWITCHES[chosen][1](part)
        elif chosen in PERSON_SWITCHES:
            PERSON_SWITCHES[chosen][1](part, request.form.get("account", ""))
        elif request.form.get("redirect_uri"):
            part.register_redirect_uri(request.form["redirect_uri"].strip())
        return redirect(f"/#{name}", 303)

    return pages
