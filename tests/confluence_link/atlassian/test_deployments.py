"""What flows have to know of an OAuth app's other side, without asking it."""

from __future__ import annotations

import pytest
import trustme
from django.conf import settings as django_settings

from confluence_link import atlassian, vault
from confluence_link.errors import VaultError
from confluence_link.http import NetworkPolicy, Proxy
from confluence_link.models import OAuthApp

CLOUD_ID = "1324a887-45db-1bf4-1e99-ef0ff456d421"


@pytest.fixture
def cloud(settings):
    settings.CONFLUENCE_CLOUD_AUTHORIZE_URL = "https://auth.atlassian.com/authorize"
    settings.CONFLUENCE_CLOUD_TOKEN_URL = "https://auth.atlassian.com/oauth/token"
    settings.CONFLUENCE_CLOUD_API_URL = "https://api.atlassian.com"
    return atlassian.deployment_for(OAuthApp(deployment="cloud"))


@pytest.fixture
def data_center():
    app = OAuthApp(
        deployment="data_center",
        name="Company wiki",
        base_url="https://wiki.example.com/confluence",
        scopes=["WRITE"],
        ca_bundle="PEM",
    )
    return atlassian.deployment_for(app)


def test_clouds_addresses_are_the_settings_of_the_moment(cloud, settings):
    settings.CONFLUENCE_CLOUD_TOKEN_URL = "https://elsewhere.example/token"
    settings.CONFLUENCE_CLOUD_API_URL = "https://elsewhere.example/api/"

    assert cloud.authorize_url == "https://auth.atlassian.com/authorize"
    assert cloud.token_url == "https://elsewhere.example/token"
    assert cloud.api_base_url(CLOUD_ID) == (
        f"https://elsewhere.example/api/ex/confluence/{CLOUD_ID}"
    )


def test_clouds_traffic_may_go_where_the_operator_said(cloud, settings):
    settings.CONFLUENCE_CLOUD_API_URL = "http://[::1]:8101"

    assert cloud.network_policy == NetworkPolicy(
        allow_http=True, allowed=("auth.atlassian.com:443", "[::1]:8101")
    )


def test_clouds_traffic_is_encrypted_where_the_settings_say_so(cloud):
    assert not cloud.network_policy.allow_http


def test_http_without_a_port_is_port_80(cloud, settings):
    settings.CONFLUENCE_CLOUD_API_URL = "http://stand-in"

    assert "stand-in:80" in cloud.network_policy.allowed


def test_data_centers_traffic_goes_where_the_operator_allowed_it(data_center, settings):
    settings.CONFLUENCE_LINK_ALLOW_HTTP = False
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = ["wiki.example.com"]

    assert data_center.network_policy == NetworkPolicy(
        allow_http=False, allowed=("wiki.example.com",), ca_bundle="PEM"
    )


def test_s12_what_one_server_is_allowed_is_allowed_to_no_other(data_center, settings):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = ["wiki.example.com"]
    data_center.oauth_app.allowed_private_hosts = ["10.1.0.0/16"]
    other = atlassian.deployment_for(OAuthApp(deployment="data_center"))

    assert data_center.network_policy.allowed == ("wiki.example.com", "10.1.0.0/16")
    assert other.network_policy.allowed == ("wiki.example.com",)


def test_data_centers_traffic_leaves_as_its_row_says(data_center):
    leaf = trustme.CA().issue_cert("confluence-link.example")
    app = data_center.oauth_app
    app.proxy_url = "http://proxy.example.com:3128"
    vault.seal_proxy_credentials(app, "me:word")
    vault.seal_client_certificate(
        app, leaf.private_key_and_cert_chain_pem.bytes().decode()
    )

    policy = data_center.network_policy

    assert policy.proxy == Proxy("http://proxy.example.com:3128", "me:word")
    assert "ENCRYPTED PRIVATE KEY" in policy.client_certificate.pem


@pytest.mark.parametrize(
    "column", ["sealed_proxy_credentials", "sealed_client_certificate"]
)
def test_a_setting_that_does_not_open_is_no_setting_that_is_not_there(
    data_center, column
):
    data_center.oauth_app.proxy_url = "http://proxy.example.com:3128"
    setattr(data_center.oauth_app, column, b"not sealed")

    with pytest.raises(VaultError, match="damaged"):
        _ = data_center.network_policy


LOOKALIKES = ["atlassian.net.evil.com", "evilatlassian.net", "api.atlassian.com.evil"]


@pytest.mark.parametrize("host", LOOKALIKES)
def test_s10_a_name_like_atlassians_is_an_address_like_any_other(cloud, host):
    """The row says what is Cloud; no address does."""
    app = OAuthApp(deployment="data_center", base_url=f"https://{host}")
    other = atlassian.deployment_for(app)

    assert other.token_url == f"https://{host}/rest/oauth2/latest/token"
    assert other.authorize_params() == {}
    assert not [entry for entry in cloud.network_policy.allowed if host in entry]


def test_data_centers_addresses_keep_the_context_path(data_center):
    base = "https://wiki.example.com/confluence"

    assert data_center.authorize_url == f"{base}/rest/oauth2/latest/authorize"
    assert data_center.token_url == f"{base}/rest/oauth2/latest/token"
    assert data_center.api_base_url(base) == base


def test_data_centers_row_decides_where_a_token_goes(data_center):
    there = data_center.api_base_url("https://evil.example")

    assert there == "https://wiki.example.com/confluence"


@pytest.mark.parametrize("site_id", ["../x", "", f"{CLOUD_ID}/..", "x" * 36])
def test_only_a_cloud_id_names_a_cloud_site(cloud, site_id):
    with pytest.raises(ValueError, match="cloud id"):
        cloud.api_base_url(site_id)


def test_cloud_wants_audience_and_prompt(cloud, settings):
    for api_url in ("https://api.atlassian.com", "http://127.0.0.1:8101"):
        settings.CONFLUENCE_CLOUD_API_URL = api_url
        assert cloud.authorize_params() == {
            "audience": "api.atlassian.com",
            "prompt": "consent",
        }


def test_the_government_cloud_is_an_audience_of_its_own(cloud, settings):
    settings.CONFLUENCE_CLOUD_API_URL = "https://api.atlassian-us-gov-mod.com"

    assert cloud.authorize_params()["audience"] == "api.atlassian-us-gov-mod.com"


def test_data_center_wants_nothing_more(data_center):
    assert data_center.authorize_params() == {}


def test_the_two_token_endpoints_differ(cloud, data_center):
    assert (cloud.token_body, data_center.token_body) == ("json", "form")
    assert not cloud.refresh_sends_redirect_uri
    assert data_center.refresh_sends_redirect_uri
    assert (cloud.leeway_seconds, data_center.leeway_seconds) == (600, 0)
    assert (cloud.idle_days, data_center.idle_days) == (90, 90)
    assert (cloud.absolute_days, data_center.absolute_days) == (365, None)


def test_cloud_scopes_that_were_not_granted_are_missing(cloud):
    asked = ["read:confluence-user", "read:page:confluence"]

    granted = ["read:confluence-user", "more"]
    assert cloud.missing_scopes(asked, granted) == ("read:page:confluence",)
    assert cloud.missing_scopes(asked, asked) == ()
    assert cloud.missing_scopes(asked, []) == tuple(asked)


def test_cloud_scopes_that_a_link_can_do_without_are_never_missing(cloud):
    asked = ["offline_access", "read:me", "report:personal-data"]

    assert cloud.missing_scopes(asked, []) == ()


def test_a_server_that_names_no_scopes_lacks_none(cloud, data_center):
    assert cloud.missing_scopes(["read:me"], None) == ()
    assert data_center.missing_scopes(["WRITE"], None) == ()


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        (["WRITE"], ()),
        (["ADMIN"], ()),
        (["READ"], ("WRITE",)),
        ([], ("WRITE",)),
        (["OTHER"], ("WRITE",)),
    ],
)
def test_a_higher_data_center_scope_contains_the_lower(data_center, granted, missing):
    assert data_center.missing_scopes(["WRITE"], granted) == missing


def test_an_unknown_data_center_scope_must_be_granted_by_name(data_center):
    assert data_center.missing_scopes(["OTHER"], ["ADMIN"]) == ("OTHER",)
    assert data_center.missing_scopes(["OTHER"], ["OTHER"]) == ()


def test_scopes_have_words_on_both(cloud, data_center):
    assert cloud.scopes_in_words(["search:confluence"]) == ("Search Confluence",)
    assert len(data_center.scopes_in_words(["WRITE"])) == 2


def test_the_consent_ends_on_a_page_of_the_other_side(cloud, data_center):
    assert cloud.consent_page_url("https://northwind.atlassian.net") == (
        "https://id.atlassian.com/manage-profile/apps"
    )
    assert data_center.consent_page_url("https://evil.example") == (
        "https://wiki.example.com/confluence/users/revokeoauthtokens.action"
    )


def test_the_default_scopes_are_few_enough_for_one_consent():
    assert len(django_settings.CONFLUENCE_CLOUD_SCOPES) < 50
