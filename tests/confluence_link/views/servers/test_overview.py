"""Admins add a server in guided pages, and read what is left to do."""

from __future__ import annotations

import html

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership
from confluence_link.models import Event, OAuthApp
from confluence_link.views.servers import frame
from tests import factories, server_steps
from tests.server_steps import address


@pytest.fixture
def list_url(organization):
    return reverse("confluence_link:servers", args=[organization.slug])


@pytest.fixture
def add_url(organization):
    return reverse("confluence_link:add_server", args=[organization.slug])


def entered(base_url, **changes):
    return {
        "base_url": base_url,
        "name": "Our wiki",
        "permission": "WRITE",
        **changes,
    }


def text_of(answer):
    return html.unescape(answer.content.decode())


def test_a_server_is_added_checked_and_shown(alice_client, add_url, sandbox):
    answer = alice_client.post(add_url, entered(sandbox.data_center.url), follow=True)

    server = OAuthApp.objects.get()
    assert answer.redirect_chain == [(address(server), 302)]
    text = text_of(answer)
    assert "Version</strong>: 9.2.4" in text
    assert f"readonly>{server.redirect_uri}</textarea>" in text
    assert "Application links" in text
    assert 'value="Write" readonly' in text
    assert Event.objects.get(kind=Event.Kind.SERVER_ADDED).actor.first_name == "Alice"


def test_read_only_is_asked_for_when_chosen(alice_client, add_url, sandbox):
    url = sandbox.data_center.url
    answer = alice_client.post(add_url, entered(url, permission="READ"), follow=True)

    assert OAuthApp.objects.get().scopes == ["READ"]
    assert 'value="Read" readonly' in text_of(answer)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("wiki.example.com", "Start with https://"),
        ("http://wiki.example.com", "Start with https://"),
        ("file:///etc/passwd", "Start with https://"),
        ("gopher://wiki.example.com", "Start with https://"),
        ("//evil.example", "Start with https://"),
        ("https:evil.example", "Start with https://"),
        ("https://good@evil.example", "Leave the user name"),
        ("https://localhost\\@evil.example", "backslashes"),
        ("https://evil.example#@good", "? or #"),
        ("https://wiki.example.com/?a=b", "? or #"),
        ("https://wiki .example.com", "Remove blanks"),
        ("https://wiki.example.com:6379", "Only ports 443 and 8443"),
        ("https://wiki.example.com:0", "443 and 8443"),
        ("https://wiki.example.com/..", "context path"),
        ("https://wiki.example.com//x", "context path"),
        ("https://wiki.example.com/%2e%2e", "context path"),
        ("https://127.0.0.1", "Ask them to add it for your organization"),
        ("https://169.254.169.254", "not on the public internet"),
        ("https://[::1]", "not on the public internet"),
        ("https://metadata.google.internal", "not on the public internet"),
        ("https://2130706433", "host"),
        ("https://0x7f000001", "host"),
    ],
)
def test_s06_to_s10_hostile_addresses_are_refused_in_words(
    alice_client, add_url, settings, url, words
):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []
    settings.CONFLUENCE_LINK_ALLOW_HTTP = False

    answer = alice_client.post(add_url, entered(url))

    assert answer.status_code == 200
    assert words in str(answer.context["form"].errors["base_url"])
    assert "CONFLUENCE_LINK_" not in text_of(answer)
    assert not OAuthApp.objects.exists()


def test_s10_a_name_in_punycode_is_shown_in_punycode(alice_client, add_url, settings):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []

    alice_client.post(add_url, entered("https://xn--tlassian-26g.example:8443"))

    assert OAuthApp.objects.get().base_url.startswith("https://xn--")


def test_s15_ten_servers_an_hour_are_added(
    alice_client, add_url, organization, sandbox
):
    for number in range(frame.ADDED_PER_HOUR):
        url = f"http://127.0.0.1:1/{number}"
        assert alice_client.post(add_url, entered(url)).status_code == 302

    answer = alice_client.post(add_url, entered("http://127.0.0.1:1/more"))

    assert answer.status_code == 429
    assert "added too often" in text_of(answer)
    assert OAuthApp.objects.count() == frame.ADDED_PER_HOUR


def test_s15_ten_checks_an_hour_are_made_of_one_organization(
    alice_client, bob_client, organization, other_organization, alice, bob, sandbox
):
    url = sandbox.data_center.url
    ours = server_steps.add(organization, alice, url)
    theirs = server_steps.add(other_organization, bob, url)
    for _ in range(frame.CHECKED_PER_HOUR):
        alice_client.post(address(ours, "check_server"))
    OAuthApp.objects.update(probe_steps=[])

    refused = alice_client.post(address(ours, "check_server"), follow=True)
    bob_client.post(address(theirs, "check_server"))

    assert "checked too often" in text_of(refused)
    assert server_steps.again(ours).probe_steps == []
    assert server_steps.again(theirs).probe_steps


def test_s15_a_closed_port_and_another_page_look_the_same(
    alice_client, organization, alice, sandbox
):
    origin = sandbox.data_center.url.rpartition("/")[0]
    texts = []
    for url in ("http://127.0.0.1:1", origin):
        server = server_steps.add(organization, alice, url)
        alice_client.post(address(server, "check_server"))
        steps = server_steps.again(server).probe_steps
        texts.append([step for step in steps if step["name"] != "Address"])

    assert texts[0] == texts[1]


def test_a_form_that_was_sent_twice_makes_one_server(alice_client, add_url, sandbox):
    for _ in range(2):
        alice_client.post(add_url, entered(sandbox.data_center.url))

    assert OAuthApp.objects.count() == 1


def test_t12_a_server_that_another_organization_has_leaves_no_hint(
    bob_client, other_organization, organization, alice, sandbox
):
    url = sandbox.data_center.url
    theirs = server_steps.add(organization, alice, url, name="Alices wiki")
    add_url = reverse("confluence_link:add_server", args=[other_organization.slug])

    added = bob_client.post(add_url, entered(url, name="Bobs wiki"), follow=True)
    own_list = bob_client.get(
        reverse("confluence_link:servers", args=[other_organization.slug])
    )

    assert OAuthApp.objects.count() == 2
    for answer in (added, own_list):
        assert answer.status_code == 200
        assert "Bobs wiki" in text_of(answer)
        for hint in ("Alice", theirs.provider_id):
            assert hint not in text_of(answer)


def test_t12_foreign_and_unknown_servers_are_not_found_alike(
    bob_client, other_organization, server
):
    names = (
        "server",
        "check_server",
        "server_settings",
        "server_credentials",
        "second_secret",
        "ask_administrator",
        "withdraw_setup",
        "remove_server",
    )
    for name in names:
        for provider_id in (server.provider_id, "dc-unknown000"):
            url = reverse(
                f"confluence_link:{name}", args=[other_organization.slug, provider_id]
            )
            statuses = {
                bob_client.get(url).status_code,
                bob_client.post(url).status_code,
            }
            assert statuses <= {404, 405}, name
            assert 404 in statuses
    assert bob_client.get(address(server)).status_code == 404
    assert OAuthApp.objects.count() == 1


def test_t12_nobody_of_another_organization_links_through_it(bob_client, ready_server):
    start = reverse("confluence_login", args=[ready_server.provider_id])

    assert bob_client.get(start).status_code == 404


def test_members_may_not_and_strangers_sign_in(
    carol_client, client, list_url, add_url, server
):
    for url in (list_url, add_url, address(server), address(server, "remove_server")):
        assert carol_client.get(url).status_code == 403
        assert client.get(url).status_code == 302


def test_admins_may(organization, list_url, client):
    amy = factories.make_user("Amy")
    Membership.objects.create(organization=organization, user=amy, role="admin")

    assert factories.sign_in(client, amy).get(list_url).status_code == 200


def test_a_sign_in_of_long_ago_is_asked_again_and_keeps_no_form(
    alice, organization, server, client
):
    factories.sign_in(client, alice, seconds_ago=3600)
    url = address(server, "server_credentials")
    secret = {"client_id": "CNRY-id", "client_secret": "CNRY-secret"}

    asked, sent = client.get(url), client.post(url, secret)

    assert "reauthenticate" in asked.url
    assert sent.url == url
    assert server_steps.again(server).client_id == ""


def test_the_list_tells_how_far_each_server_is(
    alice_client, list_url, ready_server, organization, alice
):
    factories.make_oauth_app(
        name="Everyones wiki", base_url="https://wiki.example.com/all"
    )
    draft = server_steps.add(
        organization, alice, "https://draft.example.com", name="Draft"
    )

    text = text_of(alice_client.get(list_url))

    assert "Ready" in text
    assert "Client ID and secret are missing" in text
    assert address(draft) in text
    assert "Everyones wiki" in text


def test_the_list_without_a_server_says_what_to_do(alice_client, list_url):
    assert "No server of your own yet" in text_of(alice_client.get(list_url))


def test_the_list_costs_the_same_for_many(alice_client, list_url, organization, alice):
    server_steps.add(organization, alice, "https://a.example.com")
    alice_client.get(list_url)
    with CaptureQueriesContext(connection) as one:
        alice_client.get(list_url)
    for number in range(20):
        server_steps.add(organization, alice, f"https://a{number}.example.com")
    with CaptureQueriesContext(connection) as many:
        alice_client.get(list_url)

    assert len(many) == len(one)


def test_a_private_server_says_what_to_tell_the_operator(
    alice_client, organization, alice, settings
):
    server = server_steps.add(organization, alice, "http://127.0.0.1:8090/wiki")
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []

    text = text_of(alice_client.post(address(server, "check_server"), follow=True))

    assert "operator of this service must allow" in text
    assert 'value="127.0.0.1:8090" readonly' in text


def test_the_test_link_is_there_once_the_credentials_are(
    alice_client, ready_server, organization, alice
):
    draft = server_steps.add(organization, alice, "https://draft.example.com")
    start = reverse("confluence_login", args=[ready_server.provider_id])

    assert start in text_of(alice_client.get(address(ready_server)))
    assert "confluence/dc-" in draft.redirect_uri
    assert f"{draft.provider_id}/login/?" not in text_of(
        alice_client.get(address(draft))
    )
    assert alice_client.get(start).status_code == 200


def test_a_server_that_the_operator_switched_off_says_so(alice_client, ready_server):
    OAuthApp.objects.update(enabled=False)

    text = text_of(alice_client.get(address(ready_server)))

    assert "switched this server off" in text
