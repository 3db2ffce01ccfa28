"""An OAuth client as Authlib wants to see it (RFC 6749 section 2)."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from authlib.oauth2.rfc6749 import ClientMixin, InvalidScopeError
from authlib.oauth2.rfc6749.util import scope_to_list

from sandbox.settings import ClientRegistration

# On Data Center a higher scope word contains the lower ones.
# Reference: https://confluence.atlassian.com/doc/oauth-2-0-scopes-for-incoming-links-1115674734.html
SCOPE_WORDS = ("READ", "WRITE", "ADMIN", "SYSTEM_ADMIN")


class Client(ClientMixin):
    def __init__(self, registration: ClientRegistration) -> None:
        self.client_id = registration.client_id
        self.secrets = [registration.client_secret]
        self.redirect_uris = list(registration.redirect_uris)
        self.scopes = registration.scopes.split()

    @property
    def client_secret(self) -> str:
        return self.secrets[0]

    def rotate_secret(self, new: str, *, keep_old: bool = False) -> None:
        self.secrets = [new, *self.secrets] if keep_old else [new]

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        """There is none: both deployments want the redirect URI spelled out."""
        return ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        given = client_secret.encode()
        return any(secrets.compare_digest(one.encode(), given) for one in self.secrets)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_post"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {"authorization_code", "refresh_token"}

    def get_allowed_scope(self, scope: Collection[str] | str | None) -> str:
        """All that is asked, if each word of it is on the app."""
        asked = scope_to_list(scope) or []
        if not asked or not set(asked) <= self._ceiling():
            raise InvalidScopeError
        return " ".join(asked)

    def _ceiling(self) -> set[str]:
        words = [SCOPE_WORDS.index(s) for s in self.scopes if s in SCOPE_WORDS]
        contained = SCOPE_WORDS[: max(words) + 1] if words else ()
        return {*self.scopes, *contained}
