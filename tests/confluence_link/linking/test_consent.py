"""The callback's half over real HTTP; what each answer means is in the views' tests."""

from __future__ import annotations

import secrets

import pytest

from confluence_link import linking
from confluence_link.errors import LinkRefused
from confluence_link.http import Deadline
from confluence_link.models import Event, OAuthAppHealth
from sandbox.cloud.people import NORTHWIND, RIVERSIDE
from tests import grants
from tests.confluence_link.http.servers import Server

ALICE = {"account": "alice", "site": "northwind", "decision": "accept"}


@pytest.fixture
def fetch(sandbox, cloud_app):
    """Exchanges a code of Alice's consent."""

    def fetch(seconds=8, **changes):
        verifier = secrets.token_urlsafe(64)
        fields = {
            "oauth_app": cloud_app,
            "code": grants.code_of(sandbox.cloud, cloud_app, verifier, **ALICE),
            "code_verifier": verifier,
            "deadline": Deadline(seconds),
        }
        return linking.fetch_consent(**{**fields, **changes})

    return fetch


def test_a_code_becomes_tokens_an_account_and_sites(fetch, cloud_app):
    consent = fetch()
    assert consent.token_set.access_token.startswith("CNRY-access")
    assert consent.token_set.refresh_token.startswith("CNRY-refresh")
    assert set(consent.token_set.scopes) == set(cloud_app.scopes)
    assert consent.account.name == "Alice Adams"
    assert [site.site_id for site in consent.sites] == [NORTHWIND.id]


def test_earlier_consents_of_the_account_add_their_sites(fetch, sandbox, cloud_app):
    """Atlassian keeps one grant per app and account: never 'the first' site."""
    for site in ("riverside", "tickets"):
        grants.code_of(sandbox.cloud, cloud_app, "v" * 43, **{**ALICE, "site": site})
    consent = fetch()
    assert [site.site_id for site in consent.sites] == [NORTHWIND.id, RIVERSIDE.id]


def test_data_center_knows_its_user_and_is_its_own_site(sandbox, data_center_app):
    consent = grants.consent_of(
        sandbox.data_center, data_center_app, username="dora", decision="allow"
    )
    assert consent.account.account_id == sandbox.data_center.user("dora").key
    assert [site.site_id for site in consent.sites] == [sandbox.data_center.url]
    assert consent.token_set.scopes is None


def test_a_consent_shows_no_token(fetch):
    consent = fetch()
    assert "CNRY" not in f"{consent!r} {consent} {consent.token_set!r}"


def test_a_wrong_verifier_is_refused_where_pkce_is_checked(fetch, sandbox):
    sandbox.cloud.behaviour.change({"pkce_checked": True})
    assert fetch().account.name == "Alice Adams"
    with pytest.raises(LinkRefused, match="code_refused"):
        fetch(code_verifier="w" * 43)


def test_a_code_is_sent_once_however_the_answer_is_lost(fetch, sandbox):
    sandbox.cloud.faults.add("token", "drop_after", times=1)
    with pytest.raises(LinkRefused, match="provider_down"):
        fetch()
    assert sandbox.cloud.statistics["request.token"] == 1


def test_when_the_time_is_over_nothing_is_sent(fetch, sandbox):
    with pytest.raises(LinkRefused, match="provider_down"):
        fetch(seconds=0)
    assert sandbox.cloud.statistics["request.token"] == 0


def test_a_refusal_carries_the_missing_scopes_and_nothing_else(fetch, sandbox):
    sandbox.cloud.behaviour.change(
        {"withheld_scopes": "write:page:confluence search:confluence"}
    )
    with pytest.raises(LinkRefused) as caught:
        fetch()
    assert caught.value.facts == {"scopes": "search:confluence write:page:confluence"}
    assert caught.value.__cause__ is None


def test_l39_operators_hear_of_a_refused_secret_once(fetch, sandbox, cloud_app):
    sandbox.cloud.faults.add("token", "wrong_secret")
    for _ in range(3):
        with pytest.raises(LinkRefused, match="configuration"):
            fetch()
    event = Event.objects.get(kind=Event.Kind.CONFIGURATION_REFUSED)
    assert (event.oauth_app, event.facts) == (cloud_app, {"error": "access_denied"})
    assert OAuthAppHealth.objects.get().configuration_refused_since


def closed(peer):
    """Ends each connection at once."""


def banner(peer):
    peer.send(b"-ERR unknown command, CNRY\r\n")


def silent(peer):
    peer.server.stopping.wait(10)


@pytest.mark.parametrize("handler", [closed, banner, silent])
def test_s15_whatever_listens_at_a_server_the_person_reads_the_same(
    data_center_app, handler
):
    with Server(handler) as server:
        data_center_app.base_url = server.url(path="/wiki")
        with pytest.raises(LinkRefused) as caught:
            linking.fetch_consent(
                oauth_app=data_center_app,
                code="a-code",
                code_verifier="v" * 43,
                deadline=Deadline(0.5),
            )

    assert (caught.value.reason, caught.value.facts) == ("provider_down", {})


@pytest.mark.parametrize("fault", ["invalid_grant", "rate_limited", "server_error"])
def test_other_refusals_are_no_trouble_of_the_app(fetch, sandbox, fault):
    sandbox.cloud.faults.add("token", fault)
    with pytest.raises(LinkRefused):
        fetch()
    assert not Event.objects.exists()
    assert not OAuthAppHealth.objects.exists()


def test_settings_that_were_refused_are_accepted_by_a_consent(
    fetch, sandbox, cloud_app
):
    sandbox.cloud.faults.add("token", "wrong_secret", times=1)
    with pytest.raises(LinkRefused, match="configuration"):
        fetch()
    assert OAuthAppHealth.objects.get().openings == 1
    fetch()
    health = OAuthAppHealth.objects.get()
    assert (health.openings, health.configuration_refused_since) == (0, None)
    assert Event.objects.filter(kind=Event.Kind.CONFIGURATION_ACCEPTED).count() == 1


def test_a_consent_is_no_proof_that_refresh_tokens_are_taken(fetch, cloud_app):
    """It must not make refusals of other grants look like their death."""
    OAuthAppHealth.objects.create(oauth_app=cloud_app, openings=1)
    fetch()
    health = OAuthAppHealth.objects.get()
    assert (health.openings, health.last_success_at) == (1, None)
