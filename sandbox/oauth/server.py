"""The authorization server: Authlib's grants on top of our store.

What Cloud and Data Center say differently is decided in two methods that each
deployment overrides: `refusal` (a refresh token that is not exchanged) and
`translate` (any other OAuth error).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AccessDeniedError,
    AuthorizationServer,
    ClientMixin,
    InvalidGrantError,
    OAuth2Payload,
    OAuth2Request,
    TokenMixin,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Request, Response, json

from sandbox.oauth.clients import Client
from sandbox.oauth.grants import Code, Consent, RefreshToken, Refusal, Refused
from sandbox.oauth.requests import LoopbackRequest
from sandbox.oauth.secrets import new_access_token, new_code, new_refresh_token
from sandbox.oauth.store import Answer, Store
from sandbox.settings import Behaviour

B = TypeVar("B", bound=Behaviour)

# At debug level Authlib logs the tokens that it issues.
logging.getLogger("authlib").setLevel(logging.INFO)


class Server(AuthorizationServer, Generic[B]):
    declined = "The resource owner denied the request"
    refresh_token_needs: str | None = None
    code_challenge: type[CodeChallenge] = CodeChallenge
    refresh_grant: type[RefreshTokenGrant] | None = None

    def __init__(self, client: Client, store: Store[B]) -> None:
        super().__init__()
        self.client = client
        self.store = store
        self.register_grant(CodeGrant, [self.check_pkce])
        self.register_grant(self.refresh_grant or RefreshGrant)

    def refusal(self, reason: Refusal) -> OAuth2Error:
        return InvalidGrantError(reason.value)

    def translate(self, request: OAuth2Request, error: OAuth2Error) -> OAuth2Error:
        return error

    def check_pkce(self, grant: Any) -> None:
        """RFC 7636, if this deployment looks at it."""
        if self.store.behaviour.pkce_checked:
            self.code_challenge(required=False)(grant)

    def consent_grant(self, request: Request) -> CodeGrant:
        """Authlib's checks of an authorization request, or its `OAuth2Error`."""
        untyped: Any = self
        return cast(CodeGrant, untyped.get_consent_grant(request))

    def decide(self, grant: CodeGrant, consent: Consent | None) -> Response:
        """Back to the client, with a code or with `access_denied`."""
        response = self.create_authorization_response(
            grant.request, grant_user=consent, grant=grant
        )
        return cast(Response, response)

    def exchange(self, request: Request) -> Response:
        """The token endpoint."""
        return cast(Response, self.create_token_response(request))

    def generate_token(
        self,
        grant_type: str,
        client: ClientMixin,
        user: object = None,
        scope: str | None = None,
        expires_in: int | None = None,
        include_refresh_token: bool = True,
    ) -> Answer:
        """The token answer, RFC 6749 section 5.1."""
        behaviour = self.store.behaviour
        answer: Answer = {
            "access_token": new_access_token(behaviour.access_token_length),
            "token_type": "Bearer",
            "expires_in": int(behaviour.access_token_seconds),
            "scope": scope or "",
        }
        needed = self.refresh_token_needs
        if needed is None or needed in (scope or "").split():
            answer["refresh_token"] = new_refresh_token()
        return answer

    def query_client(self, client_id: str) -> ClientMixin:
        known = client_id == self.client.client_id
        # Authlib takes None for "no such client"; its stub does not say so.
        return cast(ClientMixin, self.client if known else None)

    def save_token(self, token: Answer, request: OAuth2Request) -> None:
        if request.refresh_token:
            self.store.rotate(request.refresh_token, token)
        else:
            code = cast(Code, request.authorization_code)
            self.store.begin_family(code.consent, code.grant, token)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """The sandbox listens to none of Authlib's signals."""

    def create_oauth2_request(self, request: Request | OAuth2Request) -> OAuth2Request:
        if isinstance(request, OAuth2Request):
            return request
        return LoopbackRequest(request)

    def handle_response(
        self, status: int, body: Mapping[str, object] | str, headers: Any
    ) -> Response:
        text = body if isinstance(body, str) else json.dumps(body)
        return Response(text, status=status, headers=headers)

    def handle_error_response(
        self, request: OAuth2Request, error: OAuth2Error
    ) -> Response:
        answer = super().handle_error_response(request, self.translate(request, error))
        return cast(Response, answer)


class CodeGrant(AuthorizationCodeGrant):
    """RFC 6749 section 4.1."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post",)
    server: Server[Any]

    def create_authorization_response(
        self, redirect_uri: str, grant_user: Consent | None
    ) -> Any:
        if not grant_user:
            raise AccessDeniedError(self.server.declined, redirect_uri=redirect_uri)
        return super().create_authorization_response(redirect_uri, grant_user)

    def generate_authorization_code(self) -> str:
        return new_code()

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        store, consent = self.server.store, cast(Consent, request.user)
        asked = cast(OAuth2Payload, request.payload)
        store.codes[code] = Code(
            value=code,
            consent=consent,
            grant=store.allow(consent),
            redirect_uri=asked.redirect_uri,
            expires_at=store.clock.now() + store.behaviour.code_seconds,
            code_challenge=asked.data.get("code_challenge"),
            code_challenge_method=asked.data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code: str, client: ClientMixin) -> Code | None:
        return self.server.store.take_code(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        self.server.store.codes.pop(authorization_code.value, None)

    def authenticate_user(self, authorization_code: Code) -> Consent:
        return authorization_code.consent


class RefreshGrant(RefreshTokenGrant):
    """RFC 6749 section 6, rotation as in RFC 9700 section 4.14.2."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post",)
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: Server[Any]

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken:
        try:
            return self.server.store.exchangeable(refresh_token)
        except Refused as refused:
            raise self.server.refusal(refused.reason) from refused

    def authenticate_user(self, refresh_token: RefreshToken) -> Consent:
        return refresh_token.family.consent

    def issue_token(self, user: Consent, refresh_token: TokenMixin) -> Answer:
        token = cast(RefreshToken, refresh_token)
        behaviour = self.server.store.behaviour
        if token.retired_at is not None and behaviour.reuse == "idempotent":
            return token.answer
        answer = super().issue_token(user, token)
        if not behaviour.rotates_refresh_tokens:
            answer["refresh_token"] = token.value
        return answer

    def revoke_old_credential(self, refresh_token: TokenMixin) -> None:
        """`Store.rotate` retired it together with recording the new one."""
