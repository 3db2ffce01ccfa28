"""Every error of this package. It says who must act and whether a retry helps.

    ConfluenceLinkError
    ├── LinkRefused               the person sees it; `.reason` names the page
    ├── ReauthorizationRequired   the grant is dead: the person must consent again
    ├── TokenUnavailable          no fresh token right now: come back later
    ├── NotInUse                  switched off or out of reach; `.reason` says what
    ├── TokenEndpointError        an answer, but no token set; `.answer` is its class
    ├── TransportError            no answer; `.sent` says whether a request left
    ├── ApiError                  Confluence refused a call
    │   ├── ScopeMissing              the consent lacks a scope: consent to more
    │   ├── NotPermitted              the account may not
    │   ├── NotFound                  not there, or not visible to the account
    │   ├── Conflict                  somebody else changed it first
    │   ├── Rejected                  our request is wrong (400, 405, 410, 413 …)
    │   ├── RateLimited               too many calls: wait `retry_after_seconds`
    │   └── Unavailable               Confluence has trouble, or no trusted answer
    ├── UnusableCertificate       what was entered is none; the text says why
    └── VaultError                cannot open: an operator must act

No error carries a body, a token or a URL's query; texts of a remote server end here.
"""

from __future__ import annotations

from typing import Literal

# The classes of design 6 that a token endpoint's answer can have.
AnswerClass = Literal["uncertain", "busy", "refused", "configuration", "blocked"]


class ConfluenceLinkError(Exception):
    """The base of all errors here."""


class LinkRefused(ConfluenceLinkError):
    """A link cannot go on. `reason` is a key of `views.outcomes.OUTCOMES`."""

    def __init__(self, reason: str, **facts: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = facts


class ReauthorizationRequired(ConfluenceLinkError):
    """The grant is dead. `reason` is a `Grant.DeathReason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotInUse(ConfluenceLinkError):
    """Nothing is handed out now, although the grant is not dead.

    `reason` is one of: person and organization (deactivated), paused and lost (the
    linked site), unlinked (it is gone); and to services not_shared, and shared_grant
    (the token reaches more than this organization uses).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenUnavailable(ConfluenceLinkError):
    """No access token that lives long enough can be had at this moment."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"retry after {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class TokenEndpointError(ConfluenceLinkError):
    """The token endpoint answered without a usable token set.

    `error` is the code of RFC 6749 section 5.2 where the body had a known one,
    else a word of ours such as `html` or `redirected`; never remote free text.
    """

    def __init__(
        self,
        answer: AnswerClass,
        *,
        error: str,
        status: int,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(f"{answer}: {error} ({status})")
        self.answer: AnswerClass = answer
        self.error = error
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class TransportError(ConfluenceLinkError):
    """No complete answer. `sent` is False only if surely no request byte left.

    `reason` is one of: blocked, dns, connect, proxy, tls, timeout, reset, too_large,
    encoded, malformed. `proxy` is the app's own proxy, which refused or is not there.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(f"{reason} ({'sent' if sent else 'not sent'})")
        self.reason = reason
        self.sent = sent


class ApiError(ConfluenceLinkError):
    """Confluence answered a call with an error status (0: no answer at all)."""

    def __init__(self, status: int, *, request_id: str = "") -> None:
        super().__init__(f"status {status}" if status else "no answer")
        self.status = status
        # Atlassian's `atl-request-id`, for their support.
        self.request_id = request_id


class ScopeMissing(ApiError):
    """401 `scope does not match`: refreshing does not help, consenting does."""


class NotPermitted(ApiError):
    """401 with a fresh token, or 403."""


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409."""


class Rejected(ApiError):
    """Any other 4xx: our request is wrong, or its endpoint is retired (410)."""


class RateLimited(ApiError):
    """429 after all retries."""

    def __init__(
        self, status: int, *, retry_after_seconds: int, request_id: str = ""
    ) -> None:
        super().__init__(status, request_id=request_id)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(ApiError):
    """5xx after all retries, an unreadable body, or no answer (status 0)."""

    def __init__(
        self,
        status: int,
        *,
        retry_after_seconds: int | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(status, request_id=request_id)
        self.retry_after_seconds = retry_after_seconds


class UnusableCertificate(ConfluenceLinkError, ValueError):
    """Not a client certificate with its key. The text is a sentence for a form."""


class VaultError(ConfluenceLinkError):
    """A sealed value does not open. `reason`: key_missing, damaged or no_keys."""

    def __init__(self, reason: str, *, key_id: str = "") -> None:
        super().__init__(f"{reason} {key_id}".strip())
        self.reason = reason
        self.key_id = key_id
