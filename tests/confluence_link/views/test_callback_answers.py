"""Why a consent does not become a link: each reason has its own page."""

from __future__ import annotations

import pytest

from confluence_link import oauth2_adapter
from confluence_link.models import Event, OAuthAppHealth
from confluence_link.views.outcomes import OUTCOMES
from tests import link_steps
from tests.confluence_link.views.addresses import sites_url

pytestmark = pytest.mark.usefixtures("nothing_is_linked_after")


def _page(answer):
    return answer.content.decode()


# The token endpoint's answer
# ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refresh_token_missing", "no_refresh_token"),
        ("refresh_token_null", "no_refresh_token"),
        ("invalid_grant", "code_refused"),
        ("rate_limited", "provider_busy"),
        ("unavailable", "provider_down"),
        ("server_error", "provider_down"),
        ("drop_before", "provider_down"),
        ("drop_after", "provider_down"),
        ("blocked", "provider_down"),
        ("login_page", "provider_down"),
        ("list", "provider_down"),
        ("null", "provider_down"),
        ("access_token_missing", "provider_down"),
        ("access_token_newline", "provider_down"),
        ("expires_in_word", "provider_down"),
        ("wrong_secret", "configuration"),
        ("invalid_client", "configuration"),
    ],
)
def test_each_answer_of_the_token_endpoint_has_its_page(
    come_back_from_cloud, sandbox, fault, reason
):
    sandbox.cloud.faults.add("token", fault)
    assert link_steps.reason_of(come_back_from_cloud()) == reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_l25_a_redirecting_token_endpoint_moves_no_secret_elsewhere(
    come_back_from_cloud, sandbox, status
):
    elsewhere = f"{sandbox.data_center.url}/rest/oauth2/latest/token"
    sandbox.cloud.faults.add("token", "redirect", status=status, location=elsewhere)
    assert link_steps.reason_of(come_back_from_cloud()) == "configuration"
    assert sandbox.data_center.statistics.total("") == 0
    assert OAuthAppHealth.objects.get().last_error == "redirected"


def test_l12_only_the_stored_base_url_says_where_the_endpoints_are(
    alice_client, back_from_wiki, data_center_app, sandbox
):
    """The server's own words about itself are not even asked for."""
    sandbox.data_center.faults.add("api", "custom", body='{"type":"anonymous"}')
    link_steps.come_back(alice_client, back_from_wiki)
    seen = sandbox.data_center.statistics
    assert (seen["request.token"], seen["request.api"], seen["request.probe"]) == (
        1,
        1,
        0,
    )


@pytest.mark.parametrize("fault", ["wrong_secret", "invalid_client"])
def test_l39_a_refused_secret_is_the_operators_business(
    come_back_from_cloud, sandbox, cloud_app, caplog, fault
):
    sandbox.cloud.faults.add("token", fault)
    page = _page(come_back_from_cloud())
    assert OUTCOMES["configuration"].happened in page
    assert OUTCOMES["configuration"].operator not in page
    event = Event.objects.get(kind=Event.Kind.CONFIGURATION_REFUSED)
    assert event.oauth_app == cloud_app
    assert event.notice == Event.Notice.PENDING
    secret = sandbox.cloud.client.client_secret
    assert secret not in page + caplog.text + str(list(Event.objects.values()))


def test_a_secret_that_was_really_changed_is_noticed(come_back_from_cloud, sandbox):
    sandbox.cloud.rotate_client_secret()
    assert link_steps.reason_of(come_back_from_cloud()) == "configuration"


def test_a_secret_that_does_not_open_is_the_operators_business(
    come_back_from_cloud, cloud_app, sandbox
):
    type(cloud_app).objects.update(sealed_client_secret=b"damaged")
    assert link_steps.reason_of(come_back_from_cloud()) == "configuration"
    assert link_steps.token_calls(sandbox) == 0


def test_a_data_center_code_of_eleven_seconds_ago_is_refused(
    alice_client, back_from_wiki, sandbox
):
    sandbox.clock.advance(11)
    answer = link_steps.come_back(alice_client, back_from_wiki)
    assert link_steps.reason_of(answer) == "code_refused"


@pytest.mark.parametrize("place", ["token", "me", "sites"])
def test_l40_all_calls_of_a_callback_share_one_deadline(
    come_back_from_cloud, sandbox, monkeypatch, place
):
    assert oauth2_adapter.CALLBACK_SECONDS <= 8
    monkeypatch.setattr(oauth2_adapter, "CALLBACK_SECONDS", 0.5)
    sandbox.cloud.faults.add(place, "hang", seconds=30)
    assert link_steps.reason_of(come_back_from_cloud()) == "provider_down"


# The person's decision
# ------------------------------------------------------------------------------
def test_declining_at_cloud_has_its_page(alice_client, started, sandbox):
    back = link_steps.consent_to_cloud(sandbox, started, decision="cancel")
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "declined"
    assert link_steps.token_calls(sandbox) == 0


def test_declining_at_data_center_has_its_page(
    alice_client, data_center_app, organization, sandbox
):
    started = link_steps.start(alice_client, "wiki", organization=organization)
    back = link_steps.consent_to_data_center(sandbox, started, decision="deny")
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "declined"


def test_a_refusal_says_what_to_do_next_and_offers_to_try_again(
    alice_client, started, organization
):
    url = link_steps.callback_url(started, error="access_denied")
    page = _page(link_steps.come_back(alice_client, url))
    assert OUTCOMES["declined"].next_step in page
    assert f'href="{link_steps.start_url("cloud")}?organization=' in page
    assert f'href="{sites_url(organization)}"' in page
