"""Where allauth asks us: which apps there are, and what becomes of an account."""

from __future__ import annotations

import json
from importlib import metadata

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.socialaccount.signals import (
    pre_social_login,
    social_account_added,
    social_account_updated,
)
from django.conf import settings
from django.contrib import admin
from django.test import Client

from confluence_link import adapters, checks
from confluence_link.models import Event, Grant, PendingLink
from tests import factories, link_steps

NORTHWIND = link_steps.cloud_id("northwind")


@pytest.fixture
def heard():
    """allauth's signals of a social sign-in, as they come."""
    signals = (pre_social_login, social_account_added, social_account_updated)
    names = []

    def hear(signal, **kwargs):
        names.append(signal)

    for signal in signals:
        signal.connect(hear)
    yield names
    for signal in signals:
        signal.disconnect(hear)


# Which apps there are
# ------------------------------------------------------------------------------
def test_no_app_is_offered_for_signing_in(cloud_app, data_center_app):
    assert get_adapter().list_apps(None) == []
    assert get_adapter().list_providers(None) == []


def test_an_app_is_found_by_its_provider_id(cloud_app, data_center_app):
    (app,) = get_adapter().list_apps(None, provider="wiki")
    assert app.oauth_app == data_center_app
    assert get_adapter().list_apps(None, provider="confluence") == []


def test_an_app_is_found_with_its_own_client_id_only(cloud_app):
    find = get_adapter().list_apps
    assert len(find(None, provider="cloud", client_id=cloud_app.client_id)) == 1
    assert find(None, provider="cloud", client_id="another") == []


def test_a_disabled_app_is_not_there(cloud_app):
    factories.make_oauth_app(provider_id="off", enabled=False)
    assert get_adapter().list_apps(None, provider="off") == []


# Stock allauth's defects; a, b, c and d have tests where they belong as well
# ------------------------------------------------------------------------------
def test_allauth_defect_b_no_secret_follows_a_redirect(
    alice_client, cloud_app, organization, sandbox
):
    elsewhere = f"{sandbox.data_center.url}/rest/oauth2/latest/token"
    sandbox.cloud.faults.add("token", "redirect", status=307, location=elsewhere)
    answer = link_steps.consented_to_cloud(
        alice_client, sandbox, organization=organization
    )
    assert link_steps.reason_of(answer) == "configuration"
    assert sandbox.data_center.statistics.total("") == 0


def test_allauth_defect_c_no_body_of_the_token_endpoint_is_told(
    alice_client, cloud_app, organization, sandbox, caplog
):
    body = json.dumps({"error": "server_error", "refresh_token": "CNRY-in-an-error"})
    sandbox.cloud.faults.add("token", "custom", status=400, body=body)
    answer = link_steps.consented_to_cloud(
        alice_client, sandbox, organization=organization
    )
    told = answer.content.decode() + caplog.text + str(list(Event.objects.values()))
    assert link_steps.reason_of(answer) == "provider_down"
    assert "CNRY" not in told
    assert "server_error" not in told


@pytest.mark.parametrize(
    "fault",
    [
        "expires_in_word",
        "expires_in_huge",
        "expires_in_negative",
        "expires_in_fraction",
        "expires_in_not_a_number",
        "list",
        "string",
        "deeply_nested",
        "bad_utf8",
        "duplicate_keys",
    ],
)
def test_allauth_defect_d_an_odd_token_answer_is_no_server_error(
    alice_client, cloud_app, organization, sandbox, fault
):
    sandbox.cloud.faults.add("token", fault)
    answer = link_steps.consented_to_cloud(
        alice_client, sandbox, organization=organization
    )
    assert answer.status_code in {303, 400}
    for pending in PendingLink.objects.all():
        assert 60 <= pending.expires_in_seconds <= 86_400


def test_allauth_defect_e_no_token_is_ever_in_a_session(
    alice_client, cloud_app, organization, sandbox
):
    came_back = link_steps.consented_to_cloud(
        alice_client, sandbox, organization=organization
    )
    assert came_back.status_code == 303
    session = dict(alice_client.session.items())
    assert "CNRY" not in str(session)
    assert not [name for name in session if "sociallogin" in name]


def test_allauth_defect_f_the_account_of_another_user_is_not_even_signalled(
    alice_client,
    bob_client,
    cloud_app,
    organization,
    other_organization,
    sandbox,
    heard,
):
    link_steps.linked(alice_client, sandbox, organization=organization)
    SocialAccount.objects.update(extra_data={"as": "it was"})
    before = SocialAccount.objects.values().get()
    answer = link_steps.consented_to_cloud(
        bob_client, sandbox, organization=other_organization
    )
    assert link_steps.reason_of(answer) == "other_user"
    assert heard == []
    assert SocialAccount.objects.values().get() == before


def test_allauth_defect_g_a_state_that_would_sign_in_is_refused(
    alice_client, cloud_app, organization, sandbox
):
    started = link_steps.start(alice_client, "cloud", organization=organization)
    back = link_steps.consent_to_cloud(sandbox, started)
    session = alice_client.session
    for stashed in session["socialaccount_states"].values():
        stashed[0]["process"] = "login"
    session.save()
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "link_only"
    assert not PendingLink.objects.exists()


def test_allauth_defect_g_a_linked_account_signs_its_owner_in_nowhere(
    alice_client, cloud_app, organization, sandbox
):
    link_steps.linked(alice_client, sandbox, organization=organization)
    started = link_steps.start(alice_client, "cloud", organization=organization)
    back = link_steps.consent_to_cloud(sandbox, started)
    stranger = Client()
    answer = link_steps.come_back(stranger, back)
    assert link_steps.reason_of(answer) == "other_session"
    assert "_auth_user_id" not in stranger.session


def test_allauth_defect_h_no_token_is_stored_or_shown_by_allauth(
    alice_client, cloud_app, organization, sandbox
):
    link_steps.linked(alice_client, sandbox, organization=organization)
    assert not SocialToken.objects.exists()
    assert not admin.site.is_registered(SocialToken)
    assert not admin.site.is_registered(SocialApp)


def test_allauth_defect_h_storing_tokens_is_refused_at_the_start(settings):
    settings.SOCIALACCOUNT_STORE_TOKENS = True
    assert "confluence_link.E002" in {found.id for found in checks.check_settings()}


def test_allauth_defect_i_and_j_the_version_is_one_that_has_them_mended():
    version = [int(part) for part in metadata.version("django-allauth").split(".")]
    assert version >= [65, 21, 1]


def test_allauth_defect_j_how_many_proxies_are_trusted_is_said():
    assert settings.ALLAUTH_TRUSTED_PROXY_COUNT == 0


# What allauth's own pages may do
# ------------------------------------------------------------------------------
def test_a_confluence_account_signs_nobody_up():
    assert not get_adapter().is_open_for_signup(None, None)


def test_allauths_page_of_accounts_unlinks_nothing(
    alice_client, cloud_app, organization, sandbox
):
    link_steps.linked(alice_client, sandbox, organization=organization)
    account = SocialAccount.objects.get()
    alice_client.post("/accounts/3rdparty/", {"account": account.pk})
    assert SocialAccount.objects.exists()
    assert Grant.objects.get().status == Grant.Status.ACTIVE
    with pytest.raises(adapters.ValidationError, match="Unlink the sites"):
        get_adapter().validate_disconnect(account, [account])


def test_linking_changes_no_e_mail_address(
    alice_client, cloud_app, organization, sandbox, heard
):
    before = list(EmailAddress.objects.values())
    link_steps.linked(alice_client, sandbox, organization=organization)
    assert list(EmailAddress.objects.values()) == before
    assert heard == []


def test_totp_secrets_are_sealed():
    sealed = adapters.MFAAdapter().encrypt("a-totp-secret")
    assert "a-totp-secret" not in sealed
    assert adapters.MFAAdapter().decrypt(sealed) == "a-totp-secret"
