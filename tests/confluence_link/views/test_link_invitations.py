"""Asking a member to link: the page, the mail, and the page behind the mail."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import Membership
from confluence_link.linking import leaving
from confluence_link.models import (
    Event,
    LinkedSite,
    LinkInvitation,
    VacantSite,
    database_now,
)
from confluence_link.views.invited import ARRIVALS_PER_HOUR
from confluence_link.views.link_invitations import TO_ONE_PER_HOUR
from tests import factories, link_steps
from tests.waiting import while_it_waits

HERE = "/link-invitations/"


@pytest.fixture
def page_url(organization):
    return reverse("confluence_link:link_invitations", args=[organization.slug])


@pytest.fixture
def ask(alice_client, carol, cloud_app, page_url):
    """Alice asks Carol to link at Confluence Cloud, or as `form` says."""

    def ask(**form):
        given = {"person": carol.email, "app": "cloud"}
        return alice_client.post(page_url, {**given, **form})

    return ask


@pytest.fixture
def address(ask):
    """The path that was mailed to Carol."""
    assert ask().status_code == 302
    return path_in(mail.outbox[-1])


def path_in(sent):
    found = re.search(r"http://testserver(/link-invitations/\S+/)", sent.body)
    return found[1]


def arrive(client, address):
    """The page behind a mailed address."""
    return client.get(address, follow=True)


# Asking
# ------------------------------------------------------------------------------
def test_the_mail_says_who_asks_for_what_in_text_and_html(ask, carol):
    ask()
    (sent,) = mail.outbox
    ((html, kind),) = sent.alternatives
    assert sent.to == [carol.email]
    assert (
        sent.subject
        == "alice@example.org asks you to link an account at Confluence Cloud"
    )
    assert kind == "text/html"
    for text in (sent.body, html):
        for words in ("alice@example.org", "Alice and Co", "after four hours"):
            assert words in text
        assert path_in(sent) in text


def test_the_page_lists_what_is_open_and_revokes_it(
    alice_client, ask, carol, page_url, carol_client
):
    ask()
    page = alice_client.get(page_url).content.decode()
    assert f"<strong>{carol.email}</strong>" in page
    (revoke,) = re.findall(r'action="([^"]+/revoke/)"', page)
    done = alice_client.post(revoke, follow=True).content.decode()
    assert "works no more" in done
    assert "Nobody has one at the moment." in done
    assert arrive(carol_client, path_in(mail.outbox[0])).status_code == 410
    assert alice_client.post(revoke).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"person": "bob@example.org"},
        {"person": "nobody@example.org"},
        {"person": "x"},
        {"app": "made-up"},
        {"app": ""},
    ],
)
def test_a_form_that_is_wrong_sends_nothing(ask, bob, wrong):
    assert ask(**wrong).status_code == 200
    assert not mail.outbox
    assert not LinkInvitation.objects.exists()


def test_an_address_may_fill_in_the_form(alice_client, carol, cloud_app, page_url):
    query = {"person": carol.email, "app": "cloud"}
    page = alice_client.get(page_url, query).content.decode()
    assert f'value="{carol.email}"' in page


def test_a_site_to_take_over_is_named(
    alice_client, ask, carol_client, cloud_app, organization, page_url
):
    vacant = VacantSite.objects.create(
        public_id="vacant",
        organization=organization,
        oauth_app=cloud_app,
        site_id="x",
        name="Old wiki",
        url="https://old.example.org",
        vacated_at=database_now(),
    )
    assert "Old wiki" in alice_client.get(page_url).content.decode()
    ask(site=vacant.public_id)
    assert LinkInvitation.objects.get().vacant_site == vacant
    assert "so that Old wiki works again" in mail.outbox[0].body
    page = arrive(carol_client, path_in(mail.outbox[0])).content.decode()
    assert "https://old.example.org" in page


def test_a_site_of_another_app_is_refused(ask, organization):
    other_app = factories.make_oauth_app(provider_id="other", name="Other")
    VacantSite.objects.create(
        public_id="vacant",
        organization=organization,
        oauth_app=other_app,
        site_id="x",
        name="Old wiki",
        url="https://old.example.org",
        vacated_at=database_now(),
    )
    page = ask(site="vacant").content.decode()
    assert "This site is linked through Other." in page
    assert not mail.outbox


def test_a_mail_server_that_is_away_leaves_nothing_open(ask, settings, page_url):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = ask()
    assert answer["Location"] == page_url
    assert LinkInvitation.objects.get().revoked_at is not None


def test_nobody_is_asked_without_end(ask, alice_client, page_url):
    for _ in range(TO_ONE_PER_HOUR + 3):
        ask()
    assert len(mail.outbox) == TO_ONE_PER_HOUR
    assert "was asked often already" in alice_client.get(page_url).content.decode()


@pytest.mark.parametrize("role", Membership.Role.values)
def test_the_table_of_rights_says_who_asks(
    alice, carol, carol_client, cloud_app, page_url, role
):
    Membership.objects.filter(user=carol).update(role=role)
    status = 403 if role == "member" else 200
    assert carol_client.get(page_url).status_code == status
    form = {"person": alice.email, "app": "cloud"}
    assert carol_client.post(page_url, form).status_code in {403, 302}
    assert bool(mail.outbox) == (role != "member")


def test_a_card_asks_its_person_to_reconnect(
    alice_client, carol, carol_client, cloud_app, organization, sandbox
):
    site = link_steps.linked(carol_client, sandbox, organization=organization)
    url = reverse(
        "confluence_link:ask_to_reconnect", args=[organization.slug, site.public_id]
    )
    page = alice_client.post(url, follow=True).content.decode()
    assert f"{carol.email} got a mail" in page
    (sent,) = mail.outbox
    assert sent.to == [carol.email]
    assert arrive(carol_client, path_in(sent)).status_code == 200
    assert carol_client.post(url).status_code == 403


# Coming
# ------------------------------------------------------------------------------
def test_the_mailed_address_only_remembers_and_leads_to_a_clean_one(
    carol_client, address
):
    answer = carol_client.get(address)
    assert (answer.status_code, answer["Location"]) == (303, HERE)
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    token = address.split("/")[2]
    kept = [str(session.get_decoded()) for session in Session.objects.all()]
    assert not any(token in text for text in kept)
    assert LinkInvitation.objects.get().used_at is None


def test_the_page_says_who_asks_for_what_and_uses_nothing(carol_client, address):
    for _ in range(2):
        page = arrive(carol_client, address)
    text = page.content.decode()
    for words in (
        "alice@example.org",
        "Alice and Co",
        "Confluence Cloud",
        "Read pages",
    ):
        assert words in text
    assert LinkInvitation.objects.get().used_at is None


def test_the_button_uses_it_up_and_leads_to_the_start(
    carol_client, address, organization
):
    arrive(carol_client, address)
    answer = carol_client.post(HERE)
    query = f"organization={organization.slug}"
    assert answer["Location"] == f"/accounts/confluence/cloud/login/?{query}"
    assert carol_client.get(answer["Location"]).status_code == 200
    assert carol_client.post(HERE).status_code == 410
    assert arrive(carol_client, address).status_code == 410


def test_from_the_mail_to_a_linked_site(
    carol, carol_client, address, organization, sandbox
):
    arrive(carol_client, address)
    start = carol_client.post(HERE)["Location"]
    started = carol_client.post(start)
    back = link_steps.consent_to_cloud(sandbox, started)
    came_back = link_steps.come_back(carol_client, back)
    picked = [link_steps.cloud_id("northwind")]
    link_steps.confirm(carol_client, came_back, sites=picked)
    site = LinkedSite.objects.get()
    assert (site.organization, site.grant.user) == (organization, carol)


def test_whoever_is_not_signed_in_signs_in_first_and_goes_on(carol, address):
    client = Client()
    asked = arrive(client, address)
    (login, _) = asked.redirect_chain[-1]
    assert login == f"/accounts/login/?next={HERE}"
    credentials = {"login": carol.email, "password": factories.PASSWORD}
    page = client.post(login, credentials, follow=True)
    assert page.redirect_chain[-1][0] == HERE
    assert "asks you to link an account" in page.content.decode()


def test_somebody_else_is_told_and_uses_nothing(alice_client, bob_client, address):
    # What she was told about the mail is shown before.
    alice_client.get("/accounts/email/")
    for client in (alice_client, bob_client):
        page = arrive(client, address)
        assert page.status_code == 403
        text = page.content.decode()
        assert "This link was sent to somebody else" in text
        assert "carol@example.org" not in text
        assert client.post(HERE).status_code == 403
    assert LinkInvitation.objects.get().used_at is None


def test_without_a_mail_there_is_nothing(carol_client):
    assert carol_client.get(HERE).status_code == 410
    assert carol_client.post(HERE).status_code == 410


def test_a_guess_and_an_ended_one_look_the_same(carol, carol_client, address):
    guess = arrive(carol_client, f"{HERE}guess/")
    Membership.objects.filter(user=carol).delete()
    ended = arrive(carol_client, address)
    assert guess.status_code == ended.status_code == 410
    assert "This link does not work any more" in ended.content.decode()
    assert "Alice" not in ended.content.decode()


def test_many_guesses_are_told_to_wait(carol_client):
    answers = [
        carol_client.get(f"{HERE}guess-{number}/").status_code
        for number in range(ARRIVALS_PER_HOUR + 1)
    ]
    assert answers[0] == 303
    assert answers[-1] == 429


def test_using_it_wants_a_csrf_token(carol, address):
    strict = factories.sign_in(Client(enforce_csrf_checks=True), carol)
    strict.get(address)
    assert strict.post(HERE).status_code == 403
    assert LinkInvitation.objects.get().used_at is None


def test_no_token_is_in_the_record_or_the_log(address, caplog):
    token = address.split("/")[2]
    assert token not in caplog.text
    assert not any(token in str(event.facts) for event in Event.objects.all())
    assert urlsplit(address).path == address


@pytest.mark.django_db(transaction=True)
def test_who_left_meanwhile_is_asked_for_nothing(ask, carol):
    membership = Membership.objects.get(user=carol)
    answer = while_it_waits(
        ask, lambda: leaving.end_membership(membership=membership, actor=carol)
    )
    assert answer.status_code in {200, 302}
    assert not LinkInvitation.objects.exists()
    assert not mail.outbox
