"""allauth's forms of passkeys, for which no made-up credential is an accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.db import DatabaseError

if TYPE_CHECKING:
    _Form = forms.Form
else:
    _Form = object


class _Steady(_Form):
    """Refuses what the libraries below trip over: allauth catches a part of it.

    A credential is whatever a browser posts: broken JSON, CBOR, base64, signatures.
    """

    def full_clean(self) -> None:
        try:
            super().full_clean()
        except DatabaseError:
            raise
        except Exception:
            self.add_error(
                "credential", get_adapter().validation_error("incorrect_code")
            )
        if self.errors:
            # It is worth nothing any more, and drawing it would read it once again.
            self.data = {
                name: value for name, value in self.data.items() if name != "credential"
            }


class SteadyAddForm(_Steady, AddWebAuthnForm):  # type: ignore[misc]  # untyped
    pass


class SteadyAuthenticateForm(_Steady, AuthenticateWebAuthnForm):  # type: ignore[misc]  # untyped
    pass


class SteadyLoginForm(_Steady, LoginWebAuthnForm):  # type: ignore[misc]  # untyped
    pass


class SteadyReauthenticateForm(_Steady, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # untyped
    pass
