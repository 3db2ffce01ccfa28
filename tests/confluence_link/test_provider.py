"""What the provider sends away, and what it leaves in the session meanwhile."""

from __future__ import annotations

import base64
import hashlib

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from confluence_link import linking, vault
from confluence_link.errors import LinkRefused, VaultError
from confluence_link.models import UsedState
from confluence_link.oauth2_adapter import CODE_VERIFIER
from confluence_link.provider import (
    AllauthApp,
    ConfluenceProvider,
    new_state,
    provider_classes,
)
from tests import factories, link_steps

DATA = {"user": 1, "organization": 1, "reconnect": ""}


@pytest.fixture
def request_of_alice(alice):
    request = RequestFactory().get("/", {"scope": "evil", "auth_params": "a=b"})
    request.user, request.session = alice, SessionStore()
    return request


@pytest.fixture
def provider(request_of_alice, cloud_app):
    return ConfluenceProvider(request_of_alice, AllauthApp(cloud_app))


def _stash(provider, verifier="a-verifier"):
    return provider.stash_redirect_state(
        provider.request, "connect", data=DATA, pkce_code_verifier=verifier
    )


def test_allauth_finds_the_provider():
    assert provider_classes == [ConfluenceProvider]


def test_the_name_and_the_addresses_are_the_apps(provider):
    assert str(provider) == "Confluence Cloud"
    assert provider.get_callback_url() == link_steps.callback_path("cloud")
    login_url = link_steps.start_url("cloud")
    assert provider.get_login_url(provider.request) == login_url
    with_process = provider.get_login_url(provider.request, process="connect")
    assert with_process == f"{login_url}?process=connect"


def test_an_app_shows_allauth_no_secret(cloud_app):
    app = AllauthApp(cloud_app)
    assert (app.secret, app.key, app.pk) == ("", "", None)
    assert app.client_id == cloud_app.client_id


def test_apps_with_one_client_id_are_told_apart_by_provider_id(
    request_of_alice, cloud_app
):
    """Two servers may have given out the same client id."""
    twin = factories.make_oauth_app(
        provider_id="twin", base_url="https://wiki.test", client_id=cloud_app.client_id
    )
    for app in (cloud_app, twin):
        provider = ConfluenceProvider(request_of_alice, AllauthApp(app))
        data = provider.serialize()
        assert data["id"] == app.provider_id
        again = ConfluenceProvider.deserialize(data)
        assert again.app.provider_id == app.provider_id


# The verifier (RFC 7636)
# ------------------------------------------------------------------------------
def test_verifiers_are_long_unique_and_answered_by_their_challenge(provider):
    made = [provider.get_pkce_params() for _ in range(200)]
    verifiers = {one["code_verifier"] for one in made}
    assert len(verifiers) == 200
    for one in made:
        # Data Center takes one character less than the RFC.
        assert 43 <= len(one["code_verifier"]) <= 127
        assert one["code_challenge_method"] == "S256"
        digest = hashlib.sha256(one["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert one["code_challenge"] == challenge


def test_l15_the_session_holds_the_verifier_sealed(provider):
    state = _stash(provider, verifier="the-verifier-in-clear")
    assert "the-verifier-in-clear" not in str(dict(provider.request.session.items()))
    stashed = provider.unstash_redirect_state(provider.request, state)
    record = linking.digest(state)
    sealed = stashed["pkce_code_verifier"]
    opened = vault.open_text(CODE_VERIFIER, sealed, record=record)
    assert opened == "the-verifier-in-clear"


def test_a_verifier_of_another_state_does_not_open(provider):
    state, other = _stash(provider), _stash(provider)
    sealed = provider.unstash_redirect_state(provider.request, state)
    with pytest.raises(VaultError):
        vault.open_text(
            CODE_VERIFIER,
            sealed["pkce_code_verifier"],
            record=linking.digest(other),
        )


def test_a_verifier_that_does_not_open_refuses_the_callback(
    alice_client, cloud_app, organization, sandbox
):
    started = link_steps.start(alice_client, "cloud", organization=organization)
    back = link_steps.consent_to_cloud(sandbox, started)
    session = alice_client.session
    for stashed in session["socialaccount_states"].values():
        del stashed[0]["pkce_code_verifier"]
    session.save()
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "expired"
    assert link_steps.token_calls(sandbox) == 0


# The state
# ------------------------------------------------------------------------------
def test_l09_states_have_256_bits_are_unique_and_stored_as_hashes_only(provider):
    states = [_stash(provider) for _ in range(100)]
    made = [*states, *(new_state() for _ in range(9_900))]
    chance = {one.partition(".")[0] for one in made}
    assert len(chance) == 10_000
    assert min(len(base64.urlsafe_b64decode(one + "=")) for one in chance) >= 32
    stored = str(provider.request.session.load())
    assert not [state for state in states if state in stored]
    assert linking.digest(states[-1]) in stored
    linking.claim_state(states[-1])
    assert states[-1] not in str(list(UsedState.objects.values()))
    assert Session.objects.count() == 1


def test_a_state_that_we_gave_out_is_told_from_a_made_up_one(provider):
    state = _stash(provider)
    assert provider.gave_state(state)
    for made_up in ("", "made-up", "made.up", state[:-1], "x" + state, state + "\x00"):
        assert not provider.gave_state(made_up)


def test_a_state_works_once(provider):
    state = _stash(provider)
    found = provider.unstash_redirect_state(provider.request, state)
    assert found["data"] == DATA
    with pytest.raises(PermissionDenied):
        provider.unstash_redirect_state(provider.request, state)


def test_the_stored_hash_is_no_state(provider):
    state = _stash(provider)
    with pytest.raises(PermissionDenied):
        provider.unstash_redirect_state(provider.request, linking.digest(state))


# The gate
# ------------------------------------------------------------------------------
@pytest.mark.parametrize("process", ["login", "redirect", ""])
def test_allauth_defect_g_only_linking_may_begin(provider, process):
    with pytest.raises(LinkRefused, match="link_only"):
        provider.redirect(provider.request, process, data=DATA)


def test_allauth_defect_g_nobody_may_begin_without_a_sign_in(provider):
    provider.request.user = AnonymousUser()
    with pytest.raises(LinkRefused, match="link_only"):
        provider.redirect(provider.request, "connect", data=DATA)


def test_allauth_defect_g_a_link_without_an_organization_does_not_begin(provider):
    with pytest.raises(LinkRefused, match="link_only"):
        provider.redirect_from_request(provider.request)


def test_allauth_defect_a_scope_and_parameters_of_a_request_are_ignored(
    provider, cloud_app
):
    request = provider.request
    kwargs = provider.get_redirect_from_request_kwargs(request)
    assert kwargs["scope"] == cloud_app.scopes
    assert kwargs["auth_params"] == {
        "audience": "api.atlassian.com",
        "prompt": "consent",
    }


def test_no_target_is_kept_for_afterwards(provider):
    answer = provider.redirect(
        provider.request, "connect", next_url="/elsewhere", data=DATA
    )
    state = link_steps.asked_of(answer)["state"]
    stashed = provider.unstash_redirect_state(provider.request, state)
    assert not stashed.get("next")


# allauth's row
# ------------------------------------------------------------------------------
def test_the_account_follows_the_grant(alice, cloud_grant):
    account = SocialAccount.objects.get()
    assert (account.user, account.uid) == (alice, cloud_grant.account_id)
    linking.account_unlinked.send(sender=type(cloud_grant), grant=cloud_grant)
    assert not SocialAccount.objects.exists()
