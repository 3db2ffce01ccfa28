"""Something sealed of each kind, and where it lies."""

from __future__ import annotations

import io
import json

import trustme
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.core.management import call_command

from accounts.models import User
from confluence_link import linking, refresh, vault
from confluence_link.linking.pending import binding_of
from confluence_link.models import Grant, OAuthApp, PendingLink, SealedTokenSet
from tests import grants

NEW, OLD = "test-2", "test-1"
NAMES = {
    "token sets",
    "retired refresh tokens",
    "client secrets",
    "next client secrets",
    "client certificates",
    "proxy credentials",
    "pending links",
    "second factors",
}


def only_old_key(settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = [
        entry for entry in settings.CONFLUENCE_LINK_VAULT_KEYS if OLD in entry
    ]


def one_of_each(sandbox, oauth_app, user, organization):
    """A grant that was refreshed once, and whatever else can be sealed."""
    people = {"user": user, "organization": organization}
    grant = grants.link_cloud(sandbox, oauth_app, **people)
    grants.make_due(grant)
    refresh.refresh_batch([grant.pk])
    _settings_of(oauth_app)
    decision = {"account": "bob", "site": "riverside", "decision": "accept"}
    linking.pend(
        consent=grants.consent_of(sandbox.cloud, oauth_app, **decision),
        oauth_app=oauth_app,
        session_key="a-session",
        **people,
    )
    second_factors(user)
    return grants.again(grant)


def _settings_of(app):
    leaf = trustme.CA().issue_cert("confluence-link.example")
    pem = leaf.private_key_and_cert_chain_pem.bytes().decode()
    vault.seal_next_client_secret(app, "CNRY-next")
    vault.seal_proxy_credentials(app, "someone:CNRY-password")
    vault.seal_client_certificate(app, pem)
    app.save()


def second_factors(user):
    encrypt = get_adapter().encrypt
    totp = {"secret": encrypt("CNRY-totp")}
    codes = {
        "seed": encrypt("CNRY-seed"),
        "used_mask": 5,
        "viewed_at": 1795372800.123456,
        "migrated_codes": [encrypt("CNRY-1"), encrypt("CNRY-2")],
    }
    Authenticator.objects.create(user=user, type="totp", data=totp)
    Authenticator.objects.create(user=user, type="recovery_codes", data=codes)
    # Public keys are not sealed.
    passkey = {"credential": {"id": "abc"}, "name": "A key"}
    Authenticator.objects.create(user=user, type="webauthn", data=passkey)


def opened():
    """Whatever is sealed in the database, in clear, by where it lies."""
    found = {}
    for row in SealedTokenSet.objects.select_related("grant"):
        grant = row.grant
        before = Grant(
            pk=grant.pk,
            public_id=grant.public_id,
            oauth_app_id=grant.oauth_app_id,
            epoch=grant.epoch,
            generation=grant.generation - 1,
        )
        found["access", row.pk] = vault.open_access(grant, row.access)
        found["refresh", row.pk] = vault.open_refresh(grant, row.refresh)
        if row.previous_until:
            retired = vault.open_refresh(before, row.previous_refresh)
            found["retired", row.pk] = retired
    for app in OAuthApp.objects.all():
        found["secret", app.pk] = vault.open_client_secret(app)
        found["next", app.pk] = vault.open_next_client_secret(app)
        found["proxy", app.pk] = vault.open_proxy_credentials(app)
        certificate = vault.open_client_certificate(app)
        # Its key is encrypted anew each time.
        found["certificate", app.pk] = bool(certificate)
    for pending in PendingLink.objects.all():
        text = vault.open_sealed(pending.sealed_token_set, binding=binding_of(pending))
        found["pending", pending.pk] = json.loads(text)
    return found | _opened_factors()


def _opened_factors():
    decrypt = get_adapter().decrypt
    found = {}
    for row in Authenticator.objects.all():
        data = dict(row.data)
        for name in {"secret", "seed"} & set(data):
            data[name] = decrypt(data[name])
        codes = data.pop("migrated_codes", [])
        found[row.type, row.pk] = (data, [decrypt(code) for code in codes])
    return found


def everything():
    """All bytes of the sealed columns, as they lie there."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (SealedTokenSet, OAuthApp, PendingLink, Authenticator, User)
    }


def reseal_tokens(*options, stdout=None):
    out = stdout or io.StringIO()
    call_command("reseal_tokens", *options, stdout=out)
    return out.getvalue()
