"""allauth's account adapter: what signing up means here."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts import invited, rate_limits
from accounts.models import Organization

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    from accounts.models import User


logger = logging.getLogger(__name__)

MAIL_NOT_SENT = (
    "The e-mail could not be sent just now. Nothing is lost: try again in a few"
    " minutes, and the e-mail is sent again."
)


# Anybody can have these sent to any address; all others follow from a sign-in.
_UNASKED_MAILS: Final = frozenset(
    f"account/email/{name}"
    for name in (
        "account_already_exists",
        "email_confirmation",
        "email_confirmation_signup",
        "password_reset_key",
        "unknown_account",
    )
)
UNASKED_MAILS_PER_HOUR: Final = 10
SIGN_INS_PER_MINUTE: Final = 30


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Gives who signs up uninvited an organization, and mails our own addresses."""

    def save_user(
        self, request: HttpRequest, user: User, form: Any, commit: bool = True
    ) -> User:
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=commit)
            # Who comes by an invitation joins that organization instead.
            if commit and invited.address(request) != saved.email.lower():
                Organization.objects.own_of(saved)
        return saved

    # What strangers may try
    # --------------------------------------------------------------------------
    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """allauth counts what fails. This counts all, and is strict without Redis."""
        if not rate_limits.allow(
            "sign_in",
            key=rate_limits.source_of(request),
            limit=SIGN_INS_PER_MINUTE,
            per_seconds=60,
        ):
            raise self.validation_error("too_many_login_attempts")
        super().pre_authenticate(request, **credentials)

    def _get_login_attempts_cache_key(
        self, request: HttpRequest, **credentials: Any
    ) -> str:
        """allauth counts by person alone: anybody could keep anybody else out."""
        person = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{person}:{rate_limits.source_of(request)}"

    def send_account_already_exists_mail(self, email: str) -> None:
        # As much work as a new account, or the time would tell that it is known.
        make_password(email)
        super().send_account_already_exists_mail(email)

    def is_safe_url(self, url: str) -> bool:
        """Paths of our own alone, also once they are decoded."""
        path = unquote(url or "")
        own = path[:1] == "/" and path[1:2] not in {"/", "\\"} and path.isprintable()
        return own and bool(super().is_safe_url(url))

    # Mails
    # --------------------------------------------------------------------------
    def send_mail(
        self, template_prefix: str, email: str, context: Mapping[str, Any]
    ) -> None:
        if template_prefix in _UNASKED_MAILS and not rate_limits.allow(
            "unasked_mail",
            key=email.lower(),
            limit=UNASKED_MAILS_PER_HOUR,
            per_seconds=3600,
        ):
            # The page says what it always says; earlier mails hold good links.
            logger.warning("mail not sent, error=too_many_to_one_address")
            return
        # Here, because allauth has a hook of its own for some addresses only.
        addresses = {
            name: public(value)
            for name, value in context.items()
            if name[-4:] == "_url"
        }
        try:
            super().send_mail(template_prefix, email, {**context, **addresses})
        except (SMTPException, OSError) as error:
            # What the person did is done; only the mail is missing, and every page
            # that sends one can be asked again.
            logger.warning("mail not sent, error=%s", type(error).__name__)
            messages.error(self.request, MAIL_NOT_SENT)


def public(url: str) -> str:
    """The same path under `PUBLIC_URL`: mails never trust a request's host."""
    path = "/" + url.split("://", 1)[-1].partition("/")[2]
    return f"{settings.PUBLIC_URL}{path}"
