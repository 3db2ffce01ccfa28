"""Rows to look at, with a canary wherever something must not be seen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from confluence_link import vault
from confluence_link.models import (
    Grant,
    LinkedSite,
    LinkInvitation,
    SealedTokenSet,
    ServerSetup,
    VacantSite,
    database_now,
)
from tests import factories

# Sealed columns hold bytes; these would show if a page printed them.
CANARY = "CNRY-never-to-be-seen"


@pytest.fixture
def oauth_app(db):
    return factories.make_oauth_app(
        name="Company wiki",
        provider_id="wiki",
        base_url="https://wiki.example.com/confluence",
        scopes=["WRITE"],
    )


@pytest.fixture
def make_grant(alice, oauth_app):
    """A grant with sealed tokens and one linked site."""

    def make(organization, *, user=alice, app=oauth_app, **fields):
        now = database_now()
        number = Grant.objects.count() + 1
        values = {
            "account_id": f"account-{number}",
            "account_name": f"Account {number}",
            "scopes": list(app.scopes),
            "expires_at": now + timedelta(hours=1),
            "refresh_at": now + timedelta(minutes=50),
            "consented_at": now - timedelta(days=1),
            "last_rotated_at": now - timedelta(minutes=10),
        }
        grant = Grant.objects.create(oauth_app=app, user=user, **{**values, **fields})
        vault.store_token_set(
            grant, access_token=f"{CANARY}-access", refresh_token=f"{CANARY}-refresh"
        )
        factories.join(user, organization)
        LinkedSite.objects.create(
            organization=organization,
            grant=grant,
            site_id=app.base_url or f"site-{number}",
            name=f"Site {number}",
            url=app.base_url or "https://acme.atlassian.net/wiki",
            linked_by=user,
        )
        return grant

    return make


@pytest.fixture
def grant(make_grant, organization):
    return make_grant(organization)


@pytest.fixture
def linked_site(grant):
    return grant.linked_sites.get()


@pytest.fixture
def waiting(grant, alice):
    """A vacant site, and what was mailed to be used once."""
    organization, now = grant.linked_sites.get().organization, database_now()
    sent = {
        "organization": organization,
        "oauth_app": grant.oauth_app,
        "invited_by": alice,
        "created_at": now,
        "expires_at": now + timedelta(hours=1),
        "token_hash": CANARY,
    }
    vacant = VacantSite.objects.create(
        public_id="vacant",
        organization=organization,
        oauth_app=grant.oauth_app,
        site_id="gone",
        name="Orphan",
        url="https://orphan.example.org",
        former=alice,
        vacated_at=now,
    )
    return {
        "vacantsite": vacant,
        "linkinvitation": LinkInvitation.objects.create(
            user=alice, vacant_site=vacant, **sent
        ),
        "serversetup": ServerSetup.objects.create(email="erin@example.org", **sent),
    }


@pytest.fixture
def canaries(grant, alice, waiting):
    """Every kind of secret row, in plain text: what a page shows of it is found."""
    from allauth.mfa.models import Authenticator
    from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
    from allauth.usersessions.models import UserSession

    from confluence_link.models import OAuthApp, PendingLink, UsedState

    sealed = CANARY.encode()
    OAuthApp.objects.update(
        sealed_client_secret=sealed,
        sealed_next_client_secret=sealed,
        sealed_client_certificate=sealed,
        sealed_proxy_credentials=sealed,
    )
    SealedTokenSet.objects.update(access=sealed, refresh=sealed, key_id=CANARY)
    PendingLink.objects.create(
        user=alice,
        organization=grant.linked_sites.get().organization,
        oauth_app=grant.oauth_app,
        session_hash=CANARY,
        account_id="account-9",
        sealed_token_set=sealed,
        expires_in_seconds=3600,
        created_at=database_now(),
    )
    UsedState.objects.create(state_hash=CANARY, used_at=database_now())
    app = SocialApp.objects.create(
        provider="confluence", name="stock", client_id="stock", secret=CANARY
    )
    account = SocialAccount.objects.create(
        user=alice, provider="wiki", uid="1", extra_data={"token": CANARY}
    )
    SocialToken.objects.create(
        app=app, account=account, token=CANARY, token_secret=CANARY
    )
    Authenticator.objects.create(
        user=alice, type=Authenticator.Type.TOTP, data={"secret": CANARY}
    )
    UserSession.objects.create(
        user=alice, ip="127.0.0.1", user_agent="test", session_key=CANARY
    )
    type(alice).objects.filter(pk=alice.pk).update(password=f"md5${CANARY}$x")
    return CANARY
