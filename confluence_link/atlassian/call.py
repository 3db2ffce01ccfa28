"""Call: requests to a REST API with one access token, until one deadline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confluence_link.atlassian.answers import checked

if TYPE_CHECKING:
    from confluence_link.http import Answer, Deadline, GuardedSession

# Data Center takes and gives bodies of 5 MB by default; a list of pages is less.
MAX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """Every error status raises an `ApiError`, no answer a `TransportError`.

    `path` is put behind `base_url` as it is: whoever builds one quotes its parts.
    """

    session: GuardedSession
    base_url: str
    access_token: str = field(repr=False)
    deadline: Deadline

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        return checked(
            self.session.send(
                "GET",
                self.base_url + path,
                deadline=self.deadline,
                max_bytes=max_bytes,
                headers=self._headers(),
                params=params,
            )
        )

    def post(self, path: str, body: Mapping[str, object]) -> Answer:
        return checked(
            self.session.send(
                "POST",
                self.base_url + path,
                deadline=self.deadline,
                max_bytes=MAX_BYTES,
                headers=self._headers(),
                json=body,
            )
        )

    def _headers(self) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "Authorization": f"Bearer {self.access_token}",
        }
