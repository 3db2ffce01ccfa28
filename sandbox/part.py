"""One part of the sandbox (Cloud, or one Data Center): its client, its state
and its faults, with the verbs that end grants on the other side."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from copy import deepcopy
from typing import Generic, TypeVar

from flask import Request, Response

from sandbox.clock import Clock
from sandbox.faults.injection import Faults
from sandbox.oauth.clients import Client
from sandbox.oauth.grants import Consent, Grant
from sandbox.oauth.protector import Protector
from sandbox.oauth.requests import LoopbackRequest
from sandbox.oauth.server import Server
from sandbox.oauth.store import Answer, Store
from sandbox.settings import Behaviour, ClientRegistration
from sandbox.statistics import Statistics

B = TypeVar("B", bound=Behaviour)


class Part(ABC, Generic[B]):
    """`name` is what the control API calls it; `url` is known once it listens."""

    def __init__(
        self, name: str, registration: ClientRegistration, behaviour: B, clock: Clock
    ) -> None:
        self.name = name
        self.url = ""
        self.clock = clock
        self.behaviour = behaviour
        self.statistics = Statistics()
        self.store = Store(behaviour, clock)
        self.protector = Protector(self.store)
        self.faults = Faults(self.statistics)
        self._registration = deepcopy(registration)
        self.client = Client(self._registration)
        self.server = self.new_server()
        self.seed()

    @abstractmethod
    def new_server(self) -> Server[B]: ...

    @abstractmethod
    def seed(self) -> None:
        """Fill in the content anew."""

    @abstractmethod
    def place(self, path: str) -> str | None:
        """Which faults a request for this path may meet."""

    @abstractmethod
    def logins(self) -> dict[str, str]:
        """Who has an account here: login and name."""

    def reset(self) -> None:
        """Back to the start: no grants, no faults, counters at zero. Redirect
        URIs that were registered meanwhile stay."""
        self.store.reset()
        self.behaviour.reset()
        self.faults.reset()
        self.statistics.reset()
        self.client.secrets = [self._registration.client_secret]
        self.seed()

    def token_response(self, request: Request) -> Response:
        """The token endpoint; one exchange at a time."""
        with self.store.lock:
            response = self.server.exchange(request)
        kind = LoopbackRequest(request).form.get("grant_type")
        answer = response.get_json(silent=True) or {}
        self.statistics.count(f"exchange.{kind}.{answer.get('error', 'ok')}")
        return response

    def consent_often(
        self, *, account_id: str, count: int, site_id: str | None = None
    ) -> list[Answer]:
        """Token answers of as many consents of this account, a family each."""
        scope = self._registration.scopes
        consent = Consent(self.client.client_id, account_id, scope, site_id)
        with self.store.lock:
            grant = self.store.allow(consent)
            return [self._family(consent, grant) for _ in range(count)]

    def _family(self, consent: Consent, grant: Grant) -> Answer:
        answer = self.server.generate_token(
            "authorization_code", self.client, scope=consent.scope
        )
        self.store.begin_family(consent, grant, answer)
        return answer

    def families(self) -> list[dict[str, object]]:
        with self.store.lock:
            return [family.describe() for family in self.store.families]

    def register_redirect_uri(self, uri: str) -> None:
        if uri not in self.client.redirect_uris:
            self.client.redirect_uris.append(uri)

    def rotate_client_secret(
        self, new: str | None = None, *, keep_old: bool = False
    ) -> str:
        secret = new or secrets.token_urlsafe(24)
        self.client.rotate_secret(secret, keep_old=keep_old)
        return secret

    def revoke(self, account_id: str) -> int:
        return self.store.revoke(account_id)

    def change_password(self, account_id: str) -> int:
        return self.store.change_password(account_id)
