"""allauth's account adapter: what signing up means here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction

from accounts.models import Organization

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Gives everyone who signs up an organization of their own."""

    def save_user(
        self, request: HttpRequest, user: User, form: Any, commit: bool = True
    ) -> User:
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=commit)
            if commit:
                Organization.objects.own_of(saved)
        return saved

    def get_email_confirmation_url(
        self, request: HttpRequest, emailconfirmation: Any
    ) -> str:
        url: str = super().get_email_confirmation_url(request, emailconfirmation)
        return public(url)

    def get_reset_password_from_key_url(self, key: str) -> str:
        url: str = super().get_reset_password_from_key_url(key)
        return public(url)


def public(url: str) -> str:
    """The same path under `PUBLIC_URL`: mails never trust a request's host."""
    path = "/" + url.split("://", 1)[-1].partition("/")[2]
    return f"{settings.PUBLIC_URL}{path}"
