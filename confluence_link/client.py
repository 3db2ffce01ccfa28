"""ConfluenceClient: one linked site's spaces, pages and search.

The same calls and the same values for Cloud and Data Center. Reads are repeated
where that can help, writes never. Which server is asked depends on the linked site's
row alone.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

from confluence_link import atlassian, handoff
from confluence_link.atlassian import Account, Call, Page, SearchHit, Slice, Space
from confluence_link.errors import (
    ApiError,
    NotFound,
    NotPermitted,
    RateLimited,
    TransportError,
    Unavailable,
)
from confluence_link.http import Deadline, GuardedSession
from confluence_link.models import LinkedSite, database_now
from confluence_link.tokens import AccessToken

T = TypeVar("T")

TOTAL_SECONDS = 30
MAX_RETRIES = 3
# Up to this much is added to every pause, so that many callers do not come as one.
JITTER_SECONDS = 0.5
# Statuses that pass: of a gateway whose backend restarts.
_PASSING = {502, 503, 504}
DEFAULT_LIMIT, LARGEST_LIMIT = 25, 100
_WORD = re.compile(r"[^\W_](?:[\w.@'-]*\w)?")
_OPERATORS = {"AND", "OR", "NOT"}


class ConfluenceClient:
    """Used with `with`, it keeps its connections from call to call.

    Every call raises the errors that `errors.ApiError` leads, and those of
    `handoff.fresh_token`.
    """

    def __init__(
        self,
        linked_site: LinkedSite,
        *,
        deadline: Deadline | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`deadline` is for all calls together; without one, each has 30 seconds."""
        self._linked_site = linked_site
        self._given_deadline = deadline
        self._sleep = sleep
        app = linked_site.grant.oauth_app
        self._api = atlassian.api_for(app, site_url=linked_site.url)
        self._keeps_connections = False

    @cached_property
    def _session(self) -> GuardedSession:
        """Made by the first call, which may say that a setting does not open."""
        app = self._linked_site.grant.oauth_app
        return GuardedSession(atlassian.deployment_for(app).network_policy)

    def _close(self) -> None:
        if "_session" in self.__dict__:
            self._session.close()

    @classmethod
    def for_linked_site(
        cls,
        linked_site: LinkedSite,
        *,
        deadline: Deadline | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Self:
        return cls(linked_site, deadline=deadline, sleep=sleep)

    def __enter__(self) -> Self:
        self._keeps_connections = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._keeps_connections = False
        self._close()

    # --- reading ---

    def current_user(self) -> Account:
        return self._read(self._api.current_user)

    def spaces(self) -> Iterator[Space]:
        """All spaces that the account can see, asked for as they are wanted."""
        return _all(lambda cursor: self.spaces_slice(cursor, LARGEST_LIMIT))

    def spaces_slice(
        self, cursor: str = "", limit: int = DEFAULT_LIMIT
    ) -> Slice[Space]:
        return self._read(lambda call: self._api.spaces(call, cursor, _within(limit)))

    def space(self, key_or_id: str) -> Space:
        return self._read(lambda call: self._api.space(call, key_or_id))

    def pages(self, space: Space | str) -> Iterator[Page]:
        """All pages of a space, without their bodies."""
        known = self._space_to_call(space)
        return _all(lambda cursor: self.pages_slice(known, cursor, LARGEST_LIMIT))

    def pages_slice(
        self, space: Space | str, cursor: str = "", limit: int = DEFAULT_LIMIT
    ) -> Slice[Page]:
        known = self._space_to_call(space)
        return self._read(
            lambda call: self._api.pages(call, known, cursor, _within(limit))
        )

    def page(self, page_id: str) -> Page:
        return self._read(lambda call: self._api.page(call, page_id))

    def search(self, text: str) -> Iterator[SearchHit]:
        """Pages with these words."""
        return _all(lambda cursor: self.search_slice(text, cursor, LARGEST_LIMIT))

    def search_slice(
        self, text: str, cursor: str = "", limit: int = DEFAULT_LIMIT
    ) -> Slice[SearchHit]:
        cql = text_query(text)
        if not cql:
            return Slice((), "")
        return self._found(cql, cursor, limit)

    def search_cql(self, cql: str) -> Iterator[SearchHit]:
        return _all(lambda cursor: self._found(cql, cursor, LARGEST_LIMIT))

    def _found(self, cql: str, cursor: str, limit: int) -> Slice[SearchHit]:
        return self._read(
            lambda call: self._api.search(call, cql, cursor, _within(limit))
        )

    def _space_to_call(self, space: Space | str) -> Space:
        if isinstance(space, Space):
            return space
        return self._read(lambda call: self._api.space_to_call(call, space))

    # --- writing ---

    def create_page(
        self,
        space: Space | str,
        title: str,
        body: str,
        parent: Page | str | None = None,
    ) -> Page:
        """`body` is storage format. A title that the space has raises `Conflict`.

        After `Unavailable` with status 0 the page may be there or not.
        """
        known = self._space_to_call(space)
        parent_id = parent.page_id if isinstance(parent, Page) else parent or ""
        given = handoff.for_linked_site(linked_site=self._linked_site)
        return self._send(
            lambda call: self._api.create_page(call, known, title, body, parent_id),
            given.api_base_url,
            given.access_token,
            self._deadline(),
        )

    # --- sending ---

    def _read(self, operation: Callable[[Call], T]) -> T:
        """Repeats after one refresh, and after pauses that the other side asks for."""
        given = handoff.for_linked_site(linked_site=self._linked_site)
        token, deadline = given.access_token, self._deadline()
        refreshed, retries = False, 0
        while True:
            try:
                return self._send(operation, given.api_base_url, token, deadline)
            except (NotPermitted, NotFound) as refusal:
                newer = None if refreshed else self._newer_token(refusal, token)
                if newer is None:
                    raise
                token, refreshed = newer, True
            except (RateLimited, Unavailable) as busy:
                seconds = _pause_seconds(busy, retries)
                fits = seconds is not None and seconds < deadline.remaining()
                if seconds is None or not fits or retries == MAX_RETRIES:
                    raise
                retries += 1
                self._sleep(seconds)

    def _deadline(self) -> Deadline:
        return self._given_deadline or Deadline(TOTAL_SECONDS)

    def _newer_token(self, refusal: ApiError, token: AccessToken) -> AccessToken | None:
        """401 speaks of the token; 403 and 404 do where it was over (A8)."""
        if refusal.status != 401 and token.expires_at > database_now():
            return None
        return handoff.token_after_refusal(
            grant=self._linked_site.grant, refused_generation=token.generation
        )

    def _send(
        self,
        operation: Callable[[Call], T],
        api_base_url: str,
        token: AccessToken,
        deadline: Deadline,
    ) -> T:
        try:
            return operation(Call(self._session, api_base_url, token.value, deadline))
        except TransportError:
            raise Unavailable(0) from None
        finally:
            if not self._keeps_connections:
                self._close()


def _pause_seconds(busy: RateLimited | Unavailable, retries: int) -> float | None:
    """How long to wait before the next try; None: another try is no use."""
    if isinstance(busy, Unavailable) and busy.status not in _PASSING:
        return None
    # Not for secrets: it only keeps callers from coming back at the same moment.
    jitter = random.uniform(0, JITTER_SECONDS)  # noqa: S311 - see above
    return (busy.retry_after_seconds or 2**retries) + jitter


def _within(limit: int) -> int:
    return max(1, min(limit, LARGEST_LIMIT))


def _all(slice_at: Callable[[str], Slice[T]]) -> Iterator[T]:
    cursor = ""
    while True:
        part = slice_at(cursor)
        yield from part.items
        cursor = part.next_cursor
        if not cursor:
            return


def text_query(text: str) -> str:
    """CQL that finds pages with these words, and nothing that the text asks for.

    Only words go in: signs are operators of CQL or of the search behind it, and so
    are three words in capitals. Empty if there is no word.
    """
    words = [word[0] for word in _WORD.finditer(text[:500])]
    plain = " ".join(w.lower() if w in _OPERATORS else w for w in words)
    return f'type = page and text ~ "{plain}"' if plain else ""
