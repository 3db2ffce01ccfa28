"""Mailed links that work once: invitations, and whatever else is asked by mail.

The token is in the mail and nowhere else: the row has its hash. It works until it is
used, revoked or too old, and only while its sender could send it again.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from django.db import models
from django.http import HttpResponseRedirect
from django.urls import reverse

from accounts.scoping import ScopedQuerySet

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

    from django.http import HttpRequest, HttpResponse

M = TypeVar("M", bound=models.Model)

# After it expired, used or not.
KEPT: Final = timedelta(days=30)


class MailedLink(Protocol):
    """A row of any kind of them."""

    organization_id: int
    invited_by_id: int


class MailedLinkQuerySet(ScopedQuerySet[M]):
    # The column that tells when one was used.
    used_at = "used_at"

    def unended(self) -> Self:
        """Neither used nor revoked; some may have expired meanwhile."""
        return self.filter(**{self.used_at: None}, revoked_at=None)

    def open(self, now: datetime) -> Self:
        """Those that may still be used, as far as time tells."""
        return self.unended().filter(expires_at__gt=now)

    def forget_old(self, now: datetime) -> None:
        """Deletes what nobody could use for a month; who sent what is in the record."""
        self.filter(expires_at__lte=now - KEPT).delete()


def new_token() -> str:
    """256 random bits, safe in a URL: for the mail alone."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def arrive(
    request: HttpRequest, token: str, *, session_key: str, page: str
) -> HttpResponse:
    """Takes the token out of the address, and nothing else.

    Programs that look at mails before people do open it, too. The session keeps the
    hash: enough to find the row, and worth nothing to whoever reads the sessions.
    """
    request.session[session_key] = digest(token)
    # See Other: what follows is another page, also for a HEAD.
    response = HttpResponseRedirect(reverse(page), status=303)
    response["Referrer-Policy"] = "no-referrer"
    return response
