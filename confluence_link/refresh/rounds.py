"""A round: what was leased together is opened, exchanged and stored.

The exchanges are carried by other threads; this one alone talks to the database, and
while it does, the others go on.
"""

from __future__ import annotations

import logging
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.db import Error, OperationalError, connection

from confluence_link import failpoints
from confluence_link.errors import VaultError
from confluence_link.models import database_now
from confluence_link.refresh import breaker, claim, client_secret, spool, store, verdict
from confluence_link.refresh.contention import patiently
from confluence_link.refresh.exchange import NOT_BEGUN, Failure, exchange_all
from confluence_link.refresh.together import store_together
from confluence_link.tokens import TokenSet

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence

    from confluence_link.http import Deadline
    from confluence_link.models import OAuthApp
    from confluence_link.refresh.claim import Held, Leased
    from confluence_link.refresh.exchange import Results
    from confluence_link.token_endpoint import TokenEndpoint

logger = logging.getLogger(__name__)

INSIST_PAUSE_SECONDS: Final = 1
# What holds up one answer, which then is kept and tried again: the database, or keys
# that are gone.
_NOT_STORED: Final = (Error, VaultError)


class Outcome(StrEnum):
    """What became of one grant. The values of failures are the classes of design 6."""

    REFRESHED = "refreshed"
    NOT_DUE = "not_due"
    NOT_BEGUN = "not_begun"
    FENCED = "fenced"
    SPOOLED = "spooled"
    DEAD = "dead"
    NOT_SENT = "not_sent"
    UNCERTAIN = "uncertain"
    BUSY = "busy"
    REFUSED = "refused"
    CONFIGURATION = "configuration"
    BLOCKED = "blocked"
    UNDECRYPTABLE = "undecryptable"


class Round:
    """`renewed` are the grants that have new tokens; complete when `play` returns.

    Nothing begins after `begin_until`. A database that is away is insisted on for
    `insist_seconds` after the last answer; what it did not take is in the spool.
    """

    def __init__(
        self, lease_id: uuid.UUID, begin_until: Deadline, insist_seconds: float
    ) -> None:
        self.renewed: list[int] = []
        self._lease_id = lease_id
        self._begin_until = begin_until
        self._insist_seconds = insist_seconds
        self._outcomes: list[Outcome] = []
        self._unstored: list[tuple[Leased, TokenSet]] = []
        self._not_begun: list[Held] = []
        # It is not asked again before the end: it may take its time to say nothing.
        self._is_database_away = False
        # Apps whose breaker opened meanwhile, and apps that know of their success.
        self._paused: set[int] = set()
        self._praised: set[int] = set()

    def play(
        self, held: Sequence[Held], *, per_second: float | None = None
    ) -> list[Outcome]:
        """What became of these grants, which are under the lease."""
        if held:
            failpoints.reach("leased")
        for results in exchange_all(
            self._open(held),
            begin_until=self._begin_until,
            per_second=per_second,
            may_begin=self._may_begin,
        ):
            self._take(results)
        until = time.monotonic() + self._insist_seconds
        for leased, token_set in self._unstored:
            self._outcomes.append(self._insist(leased, token_set, until))
        self._release()
        return self._outcomes

    def _may_begin(self, leased: Leased) -> bool:
        """Not while an answer waits to be stored: this one would wait as well."""
        if self._unstored or self._is_database_away:
            return False
        return leased.held.oauth_app_id not in self._paused

    def _open(self, rows: Iterable[Held]) -> list[Leased]:
        opened: list[Leased] = []
        endpoints: dict[int, TokenEndpoint] = {}
        for held in rows:
            try:
                if held.oauth_app_id not in endpoints:
                    endpoints[held.oauth_app_id] = claim.endpoint_of(held.oauth_app)
                endpoint = endpoints[held.oauth_app_id]
                opened.append(claim.open_leased(held, self._lease_id, endpoint))
            except VaultError as error:
                self._fail(held, Failure("undecryptable", error.reason))
        return opened

    def _take(self, results: Results) -> None:
        answers = []
        for leased, result in results:
            if isinstance(result, TokenSet):
                failpoints.reach("answered")
                answers.append((leased, result))
        self._store_all(answers)
        for leased, result in results:
            if isinstance(result, Failure):
                self._fail(leased.held, result)
        self._not_begun += [one.held for one, got in results if got is NOT_BEGUN]
        if not self._is_database_away:
            self._release()

    # Answers
    # --------------------------------------------------------------------------
    def _store_all(self, answers: Sequence[tuple[Leased, TokenSet]]) -> None:
        try:
            stored = self._stored_together(answers)
        except _NOT_STORED:
            # One of them, it may be; the others must not suffer for it.
            stored = set()
        self._note_stored(answers, stored)
        for leased, token_set in answers:
            if leased.held.pk not in stored:
                self._store_one(leased, token_set)

    def _stored_together(self, answers: Sequence[tuple[Leased, TokenSet]]) -> set[int]:
        if self._is_database_away:
            return set()
        try:
            return patiently(lambda: store_together(self._lease_id, answers))
        except OperationalError:
            self._is_database_away = True
            raise

    def _note_stored(
        self, answers: Sequence[tuple[Leased, TokenSet]], stored: set[int]
    ) -> None:
        if not stored:
            return
        failpoints.reach("stored")
        self.renewed += stored
        self._outcomes += [Outcome.REFRESHED] * len(stored)
        theirs = [answer for answer in answers if answer[0].held.pk in stored]
        apps = {leased.held.oauth_app_id: leased.held.oauth_app for leased, _ in theirs}
        for app in apps.values():
            self._praise(app)
        for leased, token_set in theirs:
            if token_set.by_next_secret:
                _promote(leased.held.oauth_app)

    def _praise(self, app: OAuthApp) -> None:
        """Tells the app's breaker, once until something fails."""
        if app.pk in self._praised:
            return
        self._praised.add(app.pk)
        try:
            patiently(lambda: breaker.app_succeeded(app, now=database_now()))
        except Error:
            # The tokens are stored, and the next success tells it.
            self._praised.discard(app.pk)
            connection.close()

    def _store_one(self, leased: Leased, token_set: TokenSet) -> None:
        """Or keeps it, in the spool at once: no answer waits for another's try."""
        if not self._is_database_away:
            try:
                self._outcomes.append(self._store(leased, token_set))
            except _NOT_STORED as error:
                self._is_database_away = isinstance(error, OperationalError)
            else:
                return
        _spool(leased, token_set)
        self._unstored.append((leased, token_set))

    def _store(self, leased: Leased, token_set: TokenSet) -> Outcome:
        grant = leased.grant
        stored = patiently(
            lambda: store.store(
                grant=grant,
                lease_id=self._lease_id,
                refresh_token=leased.refresh_token,
                token_set=token_set,
                asked_at=leased.asked_at,
            )
        )
        if stored:
            failpoints.reach("stored")
            if token_set.access_token:
                self.renewed.append(leased.held.pk)
            spool.forget(grant)
            self._praise(grant.oauth_app)
            if token_set.by_next_secret:
                _promote(grant.oauth_app)
            return Outcome.REFRESHED
        # Somebody else leased it meanwhile. Should they fail, this answer is the only
        # successor, so the next import looks at it again.
        if spool.follows(grant):
            _spool(leased, token_set)
        return Outcome.FENCED

    def _insist(self, leased: Leased, token_set: TokenSet, until: float) -> Outcome:
        """Stores as soon as that is possible; else the spool has the answer."""
        while True:
            connection.close()
            try:
                return self._store(leased, token_set)
            except _NOT_STORED:
                is_kept = _spool(leased, token_set)
                if time.monotonic() >= until:
                    return Outcome.SPOOLED if is_kept else Outcome.UNCERTAIN
                time.sleep(INSIST_PAUSE_SECONDS)

    # Everything else
    # --------------------------------------------------------------------------
    def _fail(self, held: Held, failure: Failure) -> None:
        self._praised.discard(held.oauth_app_id)
        if self._is_database_away:
            self._outcomes.append(Outcome.UNCERTAIN)
            return
        try:
            dead = verdict.grant_failed(
                grant=held.grant, lease_id=self._lease_id, failure=failure
            )
            if breaker.is_paused(held.oauth_app, now=database_now()):
                self._paused.add(held.oauth_app_id)
        except Error as error:
            # The lease ends by itself and the intent stays: as if we had crashed.
            self._is_database_away = isinstance(error, OperationalError)
            connection.close()
            self._outcomes.append(Outcome.UNCERTAIN)
        else:
            self._outcomes.append(Outcome.DEAD if dead else Outcome(failure.answer))

    def _release(self) -> None:
        """Gives back what did not begin."""
        rows, self._not_begun = self._not_begun, []
        if not rows:
            return
        try:
            patiently(lambda: claim.release(self._lease_id, rows))
        except Error as error:
            # The leases end by themselves.
            self._is_database_away = isinstance(error, OperationalError)
            connection.close()
        self._outcomes += [Outcome.NOT_BEGUN] * len(rows)


def _promote(oauth_app: OAuthApp) -> None:
    try:
        client_secret.promote_next(oauth_app)
    except _NOT_STORED:
        # The tokens are stored, and the next exchange finds out again.
        connection.close()


def _spool(leased: Leased, token_set: TokenSet) -> bool:
    """Whether the answer is in the spool now; a full disk must not lose the others."""
    try:
        spool.keep(leased.grant, token_set, asked_at=leased.asked_at)
    except (OSError, VaultError) as error:
        logger.error(
            "answer not spooled, grant=%d error=%s",
            leased.held.pk,
            type(error).__name__,
        )
        return False
    return True
