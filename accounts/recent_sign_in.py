"""Sensitive acts want a person who signed in, or confirmed it, a short while ago."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

if TYPE_CHECKING:
    from django.http import HttpRequest


# When this session was signed in, in seconds since 1970.
SIGNED_IN_AT = "signed_in_at"


@receiver(user_logged_in)
def remember_sign_in(request: HttpRequest, **kwargs: object) -> None:
    """Every way in counts, also the link of a confirmation mail.

    allauth keeps a record of passwords and second factors only.
    """
    request.session[SIGNED_IN_AT] = time.time()


def signed_in_recently(request: HttpRequest) -> bool:
    """Unlike in allauth's own check, a sign-in counts as well as a confirmation.

    True as well for a person who has nothing to confirm it with.
    """
    records = get_authentication_records(request, request.user)
    newest = max(
        request.session.get(SIGNED_IN_AT, 0), *(record["at"] for record in records), 0
    )
    if time.time() - newest < app_settings.REAUTHENTICATION_TIMEOUT:
        return True
    return not get_reauthentication_flows(request.user)


def require_recent_sign_in(request: HttpRequest) -> None:
    """Raises allauth's ReauthenticationRequired, whose middleware asks and resumes."""
    if not signed_in_recently(request):
        raise ReauthenticationRequired
