"""Real grants without a browser: consent at the sandbox, exchange, confirm.

And the passing of time: the database's clock cannot be set, so the rows and the
sandbox are moved instead.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.db.models import DateTimeField, F

from accounts.models import random_public_id
from confluence_link import linking, vault
from confluence_link.http import Deadline
from confluence_link.models import (
    Event,
    Grant,
    OAuthApp,
    OAuthAppHealth,
    SealedTokenSet,
)

if TYPE_CHECKING:
    from accounts.models import Organization, User

PARAMETERS = {"audience": "api.atlassian.com", "prompt": "consent"}


def code_of(part: Any, oauth_app: OAuthApp, verifier: str, **decision: str) -> str:
    """The code that the person's browser would bring back."""
    challenge = hashlib.sha256(verifier.encode()).digest()
    is_cloud = oauth_app.deployment == OAuthApp.Deployment.CLOUD
    path = "/authorize" if is_cloud else "/plugins/servlet/oauth2/consent"
    asked = {
        "client_id": oauth_app.client_id,
        "redirect_uri": oauth_app.redirect_uri,
        "response_type": "code",
        "scope": " ".join(oauth_app.scopes),
        "state": "a-state",
        "code_challenge_method": "S256",
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
    }
    answer = requests.post(
        part.url + path,
        data=asked | (PARAMETERS if is_cloud else {}) | decision,
        allow_redirects=False,
        timeout=5,
    )
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return query["code"][0]


def consent_of(part: Any, oauth_app: OAuthApp, **decision: str) -> linking.Consent:
    """What the callback gets for it."""
    verifier = secrets.token_urlsafe(64)
    return linking.fetch_consent(
        oauth_app=oauth_app,
        code=code_of(part, oauth_app, verifier, **decision),
        code_verifier=verifier,
        deadline=Deadline(8),
    )


def link(
    part: Any,
    oauth_app: OAuthApp,
    *,
    user: User,
    organization: Organization,
    **decision: str,
) -> Grant:
    """The grant behind all sites that this consent reaches."""
    pending = linking.pend(
        consent=consent_of(part, oauth_app, **decision),
        oauth_app=oauth_app,
        user=user,
        organization=organization,
        session_key="a-session",
    )
    site_ids = [site["site_id"] for site in pending.sites]
    linked = linking.confirm(pending=pending, site_ids=site_ids, actor=user)
    return Grant.objects.select_related("oauth_app").get(pk=linked[0].grant_id)


def link_cloud(sandbox: Any, oauth_app: OAuthApp, **people: Any) -> Grant:
    decision = {"account": "alice", "site": "northwind", "decision": "accept"}
    return link(sandbox.cloud, oauth_app, **{**decision, **people})


def link_data_center(sandbox: Any, oauth_app: OAuthApp, **people: Any) -> Grant:
    decision = {"username": "dora", "decision": "allow"}
    return link(sandbox.data_center, oauth_app, **{**decision, **people})


def copy_of(grant: Grant) -> Grant:
    """Another account's grant at the same app, its tokens sealed for it."""
    access_token, refresh_token = tokens(grant)
    copy = again(grant)
    copy.pk, copy._state.adding = None, True
    copy.public_id = random_public_id()
    copy.account_id = f"copy-{copy.public_id}"
    copy.save()
    vault.store_token_set(copy, access_token=access_token, refresh_token=refresh_token)
    return copy


def seconds_pass(sandbox: Any, seconds: float) -> None:
    """Moves every time of the grants back, and the sandbox's clock on."""
    for model in (Grant, SealedTokenSet, OAuthAppHealth, Event):
        model.objects.update(
            **{
                field.name: F(field.name) - timedelta(seconds=seconds)
                for field in model._meta.get_fields()
                if isinstance(field, DateTimeField)
            }
        )
    sandbox.clock.advance(seconds)


def make_due(grant: Grant) -> Grant:
    """Due now, whatever its plan was, and past the minimum interval."""
    Grant.objects.filter(pk=grant.pk).update(
        refresh_at=F("refresh_at") - timedelta(hours=2),
        last_rotated_at=F("last_rotated_at") - timedelta(hours=1),
        last_error_at=None,
        last_refused_at=None,
    )
    return again(grant)


def again(grant: Grant) -> Grant:
    """The row as it is now."""
    return Grant.objects.select_related("oauth_app").get(pk=grant.pk)


def tokens(grant: Grant) -> tuple[str, str]:
    """What lies sealed, opened for a comparison."""
    sealed = SealedTokenSet.objects.get(grant_id=grant.pk)
    grant = again(grant)
    return (
        vault.open_access(grant, sealed.access),
        vault.open_refresh(grant, sealed.refresh),
    )
