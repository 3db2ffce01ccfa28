"""Who makes a REST call: a user with a token, Anonymous, or nobody."""

from __future__ import annotations

from typing import NoReturn

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6750 import InsufficientScopeError
from flask import Response, abort, jsonify, make_response, request

from sandbox.data_center.state import DataCenter, User
from sandbox.oauth.clients import SCOPE_WORDS
from sandbox.oauth.protector import ExpiredTokenError

LOGIN_REQUIRED = (
    "<html><head><title>Unauthorized (401)</title></head>"
    "<body><h1>Unauthorized (401)</h1></body></html>"
)


def refuse(status: int, message: str) -> NoReturn:
    data = {
        "authorized": status != 403,
        "valid": True,
        "errors": [],
        "successful": False,
    }
    body = jsonify(statusCode=status, message=message, data=data)
    abort(make_response(body, status))


def reader(server: DataCenter) -> User | None:
    """None is Anonymous, if this server lets Anonymous in: a wrong token then
    is no error, it just does not count."""
    user = _user(server, "READ")
    if user is None and not server.behaviour.anonymous_access:
        _refuse_login()
    return user


def writer(server: DataCenter) -> User:
    user = _user(server, "WRITE")
    if user is None:
        if server.behaviour.anonymous_access:
            refuse(403, "Anonymous may not do this")
        _refuse_login()
    return user


def _user(server: DataCenter, word: str) -> User | None:
    if not server.behaviour.oauth_enabled:
        return None
    enough = list(SCOPE_WORDS[SCOPE_WORDS.index(word) :])
    try:
        token = server.protector.check(request, enough)
    except ExpiredTokenError:
        server.statistics.count("api.expired")
        return None
    except InsufficientScopeError:
        refuse(403, f"The token lacks the scope {word}")
    except OAuth2Error:
        return None
    return server.user(token.family.grant.account_id)


def _refuse_login() -> NoReturn:
    headers = {
        "WWW-Authenticate": 'OAuth realm="Confluence"',
        "X-Seraph-LoginReason": "AUTHENTICATED_FAILED",
    }
    abort(Response(LOGIN_REQUIRED, 401, headers, mimetype="text/html"))
