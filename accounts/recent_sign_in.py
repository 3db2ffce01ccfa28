"""Sensitive acts want a person who signed in, or confirmed it, a short while ago."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core.exceptions import ReauthenticationRequired

if TYPE_CHECKING:
    from django.http import HttpRequest


def signed_in_recently(request: HttpRequest) -> bool:
    """Unlike in allauth's own check, a sign-in counts as well as a confirmation.

    True as well for a person who has nothing to confirm it with.
    """
    records = get_authentication_records(request, request.user)
    newest = max((record["at"] for record in records), default=0)
    if time.time() - newest < app_settings.REAUTHENTICATION_TIMEOUT:
        return True
    return not get_reauthentication_flows(request.user)


def require_recent_sign_in(request: HttpRequest) -> None:
    """Raises allauth's ReauthenticationRequired, whose middleware asks and resumes."""
    if not signed_in_recently(request):
        raise ReauthenticationRequired
