"""Data Center's part of the sandbox: its users, its content, and how its OAuth
2.0 provider differs from Cloud's.

Reference: https://developer.atlassian.com/server/confluence/confluence-oauth2-provider-api/
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    OAuth2Request,
)
from authlib.oauth2.rfc7636 import CodeChallenge

from sandbox.clock import Clock
from sandbox.confluence.content import Confluence
from sandbox.confluence.seed import fill
from sandbox.oauth.server import RefreshGrant, Server
from sandbox.oauth.store import Answer
from sandbox.part import Part
from sandbox.settings import DataCenterBehaviour, DataCenterSettings

LONGEST_VERIFIER = 127


@dataclass
class User:
    """`key` survives a rename, `username` may be given to somebody else."""

    key: str
    username: str
    name: str


class DataCenterCodeChallenge(CodeChallenge):
    """RFC 7636, but one character less than it allows."""

    def validate_code_verifier(self, grant: Any, result: object) -> None:
        verifier = grant.request.form.get("code_verifier") or ""
        if len(verifier) > LONGEST_VERIFIER:
            raise InvalidRequestError("Invalid 'code_verifier'")
        super().validate_code_verifier(grant, result)


class DataCenterRefreshGrant(RefreshGrant):
    def validate_token_request(self) -> None:
        super().validate_token_request()
        if not self.server.store.behaviour.redirect_uri_required_on_refresh:
            return
        given = self.request.form.get("redirect_uri") or ""
        if not self.server.client.check_redirect_uri(given):
            raise InvalidGrantError("redirect_uri")


class DataCenterServer(Server[DataCenterBehaviour]):
    code_challenge = DataCenterCodeChallenge
    refresh_grant = DataCenterRefreshGrant

    def generate_token(self, *args: Any, **kwargs: Any) -> Answer:
        answer = super().generate_token(*args, **kwargs)
        del answer["scope"]
        created_at = int(self.store.clock.now())
        return {**answer, "token_type": "bearer", "created_at": created_at}

    def translate(self, request: OAuth2Request, error: OAuth2Error) -> OAuth2Error:
        if isinstance(error, InvalidClientError):
            error.status_code = 401
        return error


class DataCenter(Part[DataCenterBehaviour]):
    def __init__(self, name: str, settings: DataCenterSettings, clock: Clock) -> None:
        self.context_path = settings.context_path
        self.server_id = str(uuid.uuid4())
        super().__init__(name, settings.client, settings.behaviour, clock)

    def new_server(self) -> DataCenterServer:
        return DataCenterServer(self.client, self.store)

    def seed(self) -> None:
        self.users = [
            User("8a7f808a6f1d2c30016f1d2c4b000001", "dora", "Dora Dahl"),
            User("8a7f808a6f1d2c30016f1d2c4b000002", "erik", "Erik Eng"),
        ]
        self.confluence = Confluence(first_id=65_000)
        author_id = self.users[0].key
        fill(
            self.confluence,
            author_id=author_id,
            now=self.clock.now(),
            extra_spaces=30,
        )

    def place(self, path: str) -> str | None:
        path = path.removeprefix(self.context_path)
        if path.startswith("/rest/api/"):
            return "api"
        if path in {"/status", "/rest/applinks/1.0/manifest"}:
            return "probe"
        if path.startswith("/rest/oauth2/"):
            last = path.rpartition("/")[2]
            return last if last in {"token", "authorize"} else None
        return None

    def user(self, username_or_key: str) -> User | None:
        matches = (u for u in self.users if username_or_key in (u.username, u.key))
        return next(matches, None)

    def logins(self) -> dict[str, str]:
        return {user.username: user.name for user in self.users}

    def revoke(self, account_id: str) -> int:
        return super().revoke(self._key(account_id))

    def change_password(self, account_id: str) -> int:
        return super().change_password(self._key(account_id))

    def _key(self, username_or_key: str) -> str:
        user = self.user(username_or_key)
        return user.key if user else username_or_key
