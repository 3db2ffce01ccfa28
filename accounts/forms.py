"""allauth's forms where ours must differ."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.utils import decrypt, encrypt


class SealedActivateTOTPForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth is untyped
    """Keeps the new secret sealed in the session until it is activated.

    allauth writes it there in clear, and sessions lie in the database.
    """

    secret: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        session = context.request.session
        offered = session.get(SECRET_SESSION_KEY)
        super().__init__(*args, **kwargs)
        if self.secret == offered:
            self.secret = decrypt(offered)
        else:
            session[SECRET_SESSION_KEY] = encrypt(self.secret)
