"""Checks the bearer token of an API call (RFC 6750), with Authlib's validator.

An expired token is told from an unknown one, because the gateway may answer
them differently and tests count the former.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import ResourceProtector
from authlib.oauth2.rfc6750 import BearerTokenValidator, InvalidTokenError
from flask import Request

from sandbox.oauth.grants import AccessToken
from sandbox.oauth.store import Store


class ExpiredTokenError(InvalidTokenError):
    pass


class Validator(BearerTokenValidator):
    def __init__(self, store: Store[Any]) -> None:
        super().__init__()
        self.store = store

    def authenticate_token(self, token_string: str) -> AccessToken | None:
        return self.store.access_tokens.get(token_string)

    def validate_token(
        self, token: AccessToken | None, scopes: list[str] | None, request: Request
    ) -> None:
        if token and not token.is_revoked() and token.is_expired():
            token.family.calls_refused_as_expired += 1
            raise ExpiredTokenError
        super().validate_token(token, scopes, request)


class Protector:
    def __init__(self, store: Store[Any]) -> None:
        # Authlib's stub leaves this method without types.
        self._protector: Any = ResourceProtector()
        self._protector.register_token_validator(Validator(store))

    def check(self, request: Request, scopes: list[str] | None = None) -> AccessToken:
        """The token, or one of Authlib's `OAuth2Error`s. Any one of `scopes` is
        enough; one entry may hold several words that are needed together."""
        token: AccessToken = self._protector.validate_request(scopes, request)
        return token
