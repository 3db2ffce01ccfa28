"""The server's administrator enters the credentials by mail, without an account."""

from __future__ import annotations

import html
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.urls import reverse

from confluence_link import servers, vault
from confluence_link.models import (
    Event,
    Grant,
    OAuthApp,
    ServerSetup,
    database_now,
)
from confluence_link.views.servers import frame, setup
from tests import grants, server_steps
from tests.server_steps import CLIENT_SECRET, address, fill


@pytest.fixture
def mailed(alice_client, server):
    """The path in the mail."""
    return urlsplit(server_steps.ask(alice_client, server)).path


@pytest.fixture
def erin(client, mailed):
    """Who followed it."""
    client.get(mailed)
    return client


def text_of(answer):
    return html.unescape(answer.content.decode())


def test_the_mail_says_all_that_is_to_be_entered(alice_client, server, alice):
    url = server_steps.ask(alice_client, server)

    sent = mail.outbox[-1]
    page, kind = sent.alternatives[0]
    assert sent.to == ["erin@example.org"]
    assert kind == "text/html"
    for text in (sent.body, html.unescape(page)):
        for words in (
            server.base_url,
            server.redirect_uri,
            "Application permissions: ",
            "Incoming",
            alice.email,
            url,
        ):
            assert words in text
    assert url.startswith("http://testserver/server-setup/")


def test_t10_hostile_names_break_no_mail(alice_client, server, organization):
    organization.name = "<b>x</b>\r\nBcc: eve@example.org {{ 7 }}"
    organization.save()

    server_steps.ask(alice_client, server)

    sent = mail.outbox[-1]
    assert "\n" not in sent.subject
    assert sent.to == ["erin@example.org"]
    assert "<b>x</b>" not in sent.alternatives[0][0]


def test_the_mailed_address_only_remembers(client, mailed):
    for _ in range(2):
        answer = client.get(mailed)
        client.head(mailed)

        assert (answer.status_code, answer.url) == (303, "/server-setup/")
    token = mailed.split("/")[2]
    assert token not in str([s.get_decoded() for s in Session.objects.all()])
    assert ServerSetup.objects.get().used_at is None
    assert client.post(mailed).status_code == 405


def test_the_page_says_what_to_do_on_the_server(erin, server):
    text = text_of(erin.get(reverse("server_setup")))

    assert server.base_url in text
    assert f"readonly>{server.redirect_uri}</textarea>" in text
    assert "Application links" in text
    assert text.count("<input") == 4  # the token, one to copy, two to enter


def test_the_page_tells_whose_proxy_is_on_the_way(erin, server):
    OAuthApp.objects.update(proxy_url="http://proxy.example.com", ca_bundle="PEM")

    text = text_of(erin.get(reverse("server_setup")))

    assert "through the proxy http://proxy.example.com" in text
    assert "could read along" in text


def test_the_form_is_sent_once_and_shows_nothing(erin, server):
    done = fill(erin)

    assert "you may close this page" in text_of(done).lower()
    assert "CNRY" not in text_of(done)
    assert vault.open_client_secret(server_steps.again(server)) == CLIENT_SECRET
    again = fill(erin, client_secret="other-CNRY")
    assert again.status_code == 410
    assert erin.get(reverse("server_setup")).status_code == 410
    assert vault.open_client_secret(server_steps.again(server)) == CLIENT_SECRET


def test_people_link_with_what_the_administrator_entered(
    erin, server, sandbox, alice, organization
):
    part = sandbox.data_center
    part.register_redirect_uri(server.redirect_uri)
    client = part.client
    fill(erin, client_id=client.client_id, client_secret=client.secrets[0])

    grant = grants.link_data_center(
        sandbox, server_steps.again(server), user=alice, organization=organization
    )

    assert (grant.account_name, grant.status) == ("Dora Dahl", Grant.Status.ACTIVE)


def test_the_organization_sees_by_whom_and_when_only(alice_client, erin, server):
    fill(erin)

    text = text_of(alice_client.get(address(server)))
    assert "Entered by erin@example.org on" in text
    for page in ("server", "server_settings", "server_credentials", "second_secret"):
        assert "CNRY" not in text_of(alice_client.get(address(server, page)))


@pytest.mark.parametrize("changes", [{"client_id": ""}, {"client_secret": "a\tCNRY"}])
def test_an_error_uses_nothing_up_and_echoes_nothing(erin, server, changes):
    answer = fill(erin, **changes)

    assert answer.status_code == 200
    assert "CNRY" not in text_of(answer)
    assert fill(erin).status_code == 200
    assert server_steps.again(server).client_id


@pytest.mark.parametrize(
    "end",
    [
        lambda: ServerSetup.objects.update(expires_at=database_now()),
        lambda: ServerSetup.objects.update(revoked_at=database_now()),
        lambda: ServerSetup.objects.all().delete(),
    ],
    ids=["expired", "withdrawn", "gone"],
)
def test_a_form_that_is_over_says_so(erin, mailed, server, end):
    end()

    answers = [erin.get(mailed), erin.get(reverse("server_setup")), fill(erin)]

    assert {answer.status_code for answer in answers} == {410}
    assert len({text_of(answer) for answer in answers}) == 1
    assert server_steps.again(server).client_id == ""


def test_guesses_are_slowed_down(client, db):
    statuses = [
        client.get(f"/server-setup/guess{n}/").status_code
        for n in range(setup.MISSES_PER_HOUR + 1)
    ]

    assert statuses[:-1] == [410] * setup.MISSES_PER_HOUR
    assert statuses[-1] == 429


def test_a_form_reaches_its_own_organization_only(
    client, alice_client, bob_client, server, other_organization, bob
):
    theirs = server_steps.add(other_organization, bob, server.base_url)
    client.get(urlsplit(server_steps.ask(bob_client, theirs)).path)

    fill(client)

    assert server_steps.again(theirs).client_id
    assert server_steps.again(server).client_id == ""
    event = Event.objects.get(kind=Event.Kind.SERVER_SET_UP)
    assert event.organization == other_organization


def test_withdrawing_ends_the_form(alice_client, erin, server):
    answer = alice_client.post(address(server, "withdraw_setup"), follow=True)

    assert "works no more" in text_of(answer)
    assert erin.get(reverse("server_setup")).status_code == 410


def test_another_address_of_the_server_ends_the_form(erin, server, alice):
    settings = servers.Settings(
        name="Wiki", scopes=["WRITE"], base_url="https://elsewhere.example.com"
    )
    servers.change(oauth_app=server, settings=settings, actor=alice)

    assert fill(erin).status_code == 410


def test_a_mail_that_is_not_sent_leaves_no_form(alice_client, server, settings):
    settings.EMAIL_BACKEND = "tests.server_steps.AwayBackend"

    answer = alice_client.post(
        address(server, "ask_administrator"), {"email": "erin@example.org"}
    )

    assert "could not be sent" in text_of(answer)
    assert servers.open_setup(server) is None


def test_ten_mails_an_hour_are_sent(alice_client, server):
    for _ in range(frame.ASKED_PER_HOUR):
        server_steps.ask(alice_client, server)
    before = len(mail.outbox)

    answer = alice_client.post(
        address(server, "ask_administrator"), {"email": "erin@example.org"}
    )

    assert "Try again later" in text_of(answer)
    assert len(mail.outbox) == before


def test_the_organization_sees_who_was_asked(alice_client, mailed, server):
    text = text_of(alice_client.get(address(server)))
    until = database_now() + timedelta(days=7)

    assert "erin@example.org" in text
    assert f"{until:%B %Y}" in text
    assert mailed not in text
