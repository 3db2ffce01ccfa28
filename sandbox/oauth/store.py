"""Keeps codes, tokens and families in memory, and the rules of rotation.

Nothing is pruned and nothing survives the process: a sandbox lives as long as
a demo or a test. Whoever changes state holds `lock`.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from sandbox.clock import Clock
from sandbox.oauth.grants import (
    AccessToken,
    Code,
    Consent,
    Family,
    Grant,
    RefreshToken,
    Refusal,
    Refused,
)
from sandbox.settings import Behaviour

Answer = dict[str, str | int]
B = TypeVar("B", bound=Behaviour)


class Store(Generic[B]):
    def __init__(self, behaviour: B, clock: Clock) -> None:
        self.behaviour = behaviour
        self.clock = clock
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.grants: dict[tuple[str, str], Grant] = {}
            self.families: list[Family] = []
            self.codes: dict[str, Code] = {}
            self.access_tokens: dict[str, AccessToken] = {}
            self.refresh_tokens: dict[str, RefreshToken] = {}

    def allow(self, consent: Consent) -> Grant:
        """There is one grant per client and account: scopes are replaced by
        the new consent, sites are added to the old ones."""
        key = (consent.client_id, consent.account_id)
        grant = self.grants.setdefault(key, Grant(*key))
        grant.scopes = set(consent.scope.split())
        if consent.site_id:
            grant.site_ids.add(consent.site_id)
        return grant

    def take_code(self, value: str) -> Code | None:
        """The code, if it was issued and is not over. The exchange deletes it."""
        code = self.codes.get(value)
        if code and self.clock.now() < code.expires_at:
            return code
        self.codes.pop(value, None)
        return None

    def begin_family(self, consent: Consent, grant: Grant, answer: Answer) -> None:
        family = Family(
            number=len(self.families) + 1,
            grant=grant,
            consent=consent,
            consented_at=self.clock.now(),
        )
        self.families.append(family)
        self._add(family, answer)

    def exchangeable(self, value: str) -> RefreshToken:
        """The refresh token, or `Refused`; counts reuse and breaches."""
        token = self.refresh_tokens.get(value)
        if token is None:
            raise Refused(Refusal.UNKNOWN)
        family, now = token.family, self.clock.now()
        if family.ended:
            raise Refused(family.ended)
        if now >= token.issued_at + self.behaviour.idle_seconds:
            raise Refused(Refusal.EXPIRED)
        if now >= family.consented_at + self.behaviour.absolute_seconds:
            raise Refused(Refusal.EXPIRED)
        if token.retired_at is not None:
            self._check_reuse(family, since=now - token.retired_at)
        return token

    def _check_reuse(self, family: Family, *, since: float) -> None:
        if since < self.behaviour.leeway_seconds:
            family.reuses_inside_leeway += 1
            return
        family.breaches += 1
        if self.behaviour.reuse_after_leeway_kills_family:
            self._end(family, Refusal.REUSED)
        raise Refused(Refusal.REUSED)

    def rotate(self, token: RefreshToken, answer: Answer) -> None:
        """Record a successful refresh: retire what it replaces, add the new."""
        family = token.family
        family.refreshes += 1
        if token.answer is answer:
            return
        token.answer = answer
        if not self.behaviour.rotates_refresh_tokens:
            self._add_access_token(family, answer)
            token.issued_at = self.clock.now()
            return
        last_wins = self.behaviour.reuse == "last_wins"
        replaced = list(family.live) if last_wins else [token]
        for one in replaced:
            self._retire(one)
        self._add(family, answer)

    def _retire(self, token: RefreshToken) -> None:
        """The pair goes together: the access token outlives its refresh token
        by the leeway at most."""
        if token.retired_at is not None:
            return
        now = self.clock.now()
        token.retired_at = now
        token.family.live.remove(token)
        access_token = token.access_token
        access_token.expires_at = min(
            access_token.expires_at, now + self.behaviour.old_access_token_seconds
        )

    def _add(self, family: Family, answer: Answer) -> None:
        access_token = self._add_access_token(family, answer)
        if "refresh_token" not in answer:
            return
        value = str(answer["refresh_token"])
        token = RefreshToken(value, family, access_token, self.clock.now())
        self.refresh_tokens[value] = token
        family.live.append(token)

    def _add_access_token(self, family: Family, answer: Answer) -> AccessToken:
        token = AccessToken(
            value=str(answer["access_token"]),
            family=family,
            scope=family.consent.scope,
            expires_at=self.clock.now() + float(answer["expires_in"]),
            clock=self.clock,
        )
        self.access_tokens[token.value] = token
        return token

    def _end(self, family: Family, reason: Refusal) -> None:
        family.ended = reason
        family.live.clear()

    def revoke(self, account_id: str) -> int:
        """The person removed the app: the grant and everything from it ends."""
        with self.lock:
            keys = [key for key in self.grants if key[1] == account_id]
            for key in keys:
                del self.grants[key]
            return self._end_all(account_id, Refusal.REVOKED)

    def change_password(self, account_id: str) -> int:
        """Refresh tokens die, access tokens live until they expire."""
        with self.lock:
            return self._end_all(account_id, Refusal.PASSWORD_CHANGED)

    def _end_all(self, account_id: str, reason: Refusal) -> int:
        ended = [
            family
            for family in self.families
            if family.grant.account_id == account_id and not family.ended
        ]
        for family in ended:
            self._end(family, reason)
        return len(ended)
