"""allauth's account adapter: what signing up means here."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.db import transaction

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


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Gives everyone who signs up an organization, and mails our own addresses."""

    def save_user(
        self, request: HttpRequest, user: User, form: Any, commit: bool = True
    ) -> User:
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=commit)
            if commit:
                Organization.objects.own_of(saved)
        return saved

    def send_mail(
        self, template_prefix: str, email: str, context: Mapping[str, Any]
    ) -> None:
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
