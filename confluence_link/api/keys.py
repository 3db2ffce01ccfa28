"""Who calls: a service, by its organization's key. Sessions do not count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ninja.security.base import AuthBase

from accounts import service_keys
from accounts.rate_limits import allow, source_of
from confluence_link.api.problems import Problem
from confluence_link.models import database_now

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import ServiceKey

# Of one source; keys that work are not counted, so that nobody locks others out.
BAD_KEYS: Final = 100
BAD_KEYS_SECONDS: Final = 600


class KeyAuth(AuthBase):
    """`Authorization: Bearer clk_…`. Not ninja's own, which may log what is sent."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> ServiceKey:
        """The key's row. Raises Problem: unauthorized, too_many."""
        header = request.headers.get("Authorization", "")
        scheme, _, presented = header.partition(" ")
        if scheme.lower() == "bearer":
            key = service_keys.authenticate(presented.strip(), now=database_now())
            if key is not None:
                return key
        if header and not _may_go_on(request):
            raise Problem("too_many", retry_after_seconds=BAD_KEYS_SECONDS)
        raise Problem("unauthorized")


def _may_go_on(request: HttpRequest) -> bool:
    return allow(
        "api_bad_key",
        key=source_of(request),
        limit=BAD_KEYS,
        per_seconds=BAD_KEYS_SECONDS,
    )


def check_scope(key: ServiceKey, scope: str) -> None:
    """Raises Problem: forbidden."""
    if scope not in key.scopes:
        raise Problem("forbidden")
