"""Mails about events: once, to the right people, whatever the mail server does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection

from confluence_link import events, notices
from confluence_link.models import Event, Grant
from tests import factories
from tests.confluence_link.http.servers import Server


@pytest.fixture
def grant(cloud_grant):
    """Its own mails are sent already."""
    Event.objects.all().delete()
    return cloud_grant


@pytest.fixture
def linked(grant, organization):
    def record(site="Northwind"):
        return events.record(
            Event.Kind.LINKED, grant=grant, organization=organization, site=site
        )

    return record


def make_operator(name, **fields):
    return factories.make_user(name, is_staff=True, is_superuser=True, **fields)


def mailed():
    return [(message.to, message.subject) for message in mail.outbox]


def state_of(event):
    return Event.objects.get(pk=event.pk).notice


class SmtpServer(Server):
    """Answers a recipient's and a body's line as told; `mails` got through."""

    def __init__(self, recipient="250 fine", data="250 fine"):
        super().__init__(self._talk)
        self.recipient, self.data = recipient, data
        # An address that is put off, whatever the others are told.
        self.slow = None
        self.mails = []

    def _talk(self, peer):
        peer.send(b"220 hello\r\n")
        lines = peer.connection.makefile("rb")
        for line in lines:
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipient = line
                is_slow = self.slow and self.slow.encode() in line
                self._say(peer, "450 later" if is_slow else self.recipient)
            elif verb == b"DATA":
                self._say(peer, "354 go on")
                for content in lines:
                    if content == b".\r\n":
                        break
                self._say(peer, self.data)
                self.mails += [recipient] if self.data[0] == "2" else []
            else:
                self._say(peer, "221 bye" if verb == b"QUIT" else "250 fine")

    def _say(self, peer, line):
        peer.send(line.encode() + b"\r\n")


@pytest.fixture
def smtp(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with SmtpServer() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


# --- who hears of what ----------------------------------------------------------


def test_the_person_hears_of_a_new_link(linked, alice):
    linked()

    assert notices.send_pending() == 1

    (message,) = mail.outbox
    assert (message.to, message.subject) == ([alice.email], "Northwind is linked")
    assert "Northwind was linked to Alice and Co" in message.body
    assert "http://testserver/o/alice-and-co/sites/" in message.body


def test_f34_the_person_hears_once_that_a_reconnect_is_needed(grant, alice):
    Grant.objects.update(
        death_reason=Grant.DeathReason.REVOKED,
        status=Grant.Status.RECONNECT_NEEDED,
    )
    events.record(Event.Kind.RECONNECT_NEEDED, grant=grant, reason="revoked")

    notices.send_pending()

    (message,) = mail.outbox
    assert (message.to, message.subject) == (
        [alice.email],
        "Your Confluence link needs you",
    )
    assert "ended at Atlassian or by the server's owner" in message.body


@pytest.mark.parametrize("kind", ["CONFIGURATION_REFUSED", "MASS_REFUSAL"])
def test_operators_hear_of_an_apps_trouble(db, alice, kind):
    make_operator("Ada")
    make_operator("Grace")
    make_operator("Gone", is_active=False)
    app = factories.make_oauth_app(name="Company wiki")
    facts = {"error": "access_denied", "suspects": 7}
    events.record(Event.Kind[kind], oauth_app=app, **facts)

    assert notices.send_pending() == 1

    assert [message.to for message in mail.outbox] == [
        ["ada@example.org"],
        ["grace@example.org"],
    ]
    for message in mail.outbox:
        assert message.subject.startswith("Company wiki: ")
        assert "http://testserver/admin/confluence_link/" in message.body
        assert any(str(fact) in message.body for fact in facts.values())


def test_an_app_of_which_operators_hear_may_have_a_grant_too(grant, alice):
    make_operator("Ada")
    events.record(Event.Kind.MASS_REFUSAL, grant=grant, suspects=7)

    notices.send_pending()

    assert [message.to for message in mail.outbox] == [["ada@example.org"]]


def test_a_person_who_is_no_longer_active_gets_no_mail(linked, alice):
    alice.is_active = False
    alice.save()
    event = linked()

    notices.send_pending()

    assert mail.outbox == []
    assert state_of(event) == Event.Notice.SENT


def test_t19_nobody_hears_of_a_grant_that_is_gone(linked, grant, alice):
    make_operator("Ada")
    event = linked()
    alice.delete()
    assert Event.objects.get(pk=event.pk).grant is None

    notices.send_pending()

    assert mail.outbox == []


def test_nobody_hears_of_an_app_that_is_gone(db):
    make_operator("Ada")
    app = factories.make_oauth_app()
    events.record(Event.Kind.CONFIGURATION_REFUSED, oauth_app=app, error="x")
    app.delete()

    notices.send_pending()

    assert mail.outbox == []


def test_what_nobody_need_know_is_not_mailed(grant):
    events.record(Event.Kind.RECOVERED, grant=grant)

    assert notices.send_pending() == 0
    assert mail.outbox == []


# --- hostile names --------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "evil\nBcc: everyone@example.org",
        "evil\r\nBcc: everyone@example.org",
        "evil\rBcc: everyone@example.org",
        "evil\x0bBcc:\x0ceveryone@example.org",
        "evil\u2028Bcc:\x85everyone@example.org",
    ],
    ids=ascii,
)
def test_t10_a_name_begins_no_header(linked, alice, name):
    linked(site=name)

    notices.send_pending()

    (message,) = mail.outbox
    assert message.subject == "evil Bcc: everyone@example.org is linked"
    assert "Bcc" not in message.message()
    assert message.recipients() == [alice.email]
    assert message.body.startswith("Hello,")


def test_t10_a_name_is_neither_escaped_nor_run(linked):
    linked(site="<b>{{ 7|add:7 }}</b> & Co")

    notices.send_pending()

    assert mail.outbox[0].subject == "<b>{{ 7|add:7 }}</b> & Co is linked"


def test_t10_an_apps_name_begins_no_header(db):
    make_operator("Ada")
    app = factories.make_oauth_app(name="evil\r\nBcc: everyone@example.org")
    events.record(Event.Kind.CONFIGURATION_REFUSED, oauth_app=app, error="x")

    notices.send_pending()

    (message,) = mail.outbox
    assert "Bcc" not in message.message()
    assert "\r" not in message.subject


# --- once -----------------------------------------------------------------------


def test_running_twice_sends_once(linked):
    linked()

    assert (notices.send_pending(), notices.send_pending()) == (1, 0)
    assert len(mail.outbox) == 1


def test_one_run_takes_a_limited_number(linked):
    for _ in range(notices.AT_ONCE + 1):
        linked()

    assert (notices.send_pending(), notices.send_pending()) == (notices.AT_ONCE, 1)


@pytest.mark.django_db(transaction=True)
def test_running_at_the_same_time_sends_once(linked, smtp):
    sent = [linked() for _ in range(5)]
    together = threading.Barrier(3)

    def run():
        together.wait()
        try:
            return notices.send_pending()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(run) for _ in range(3)]

    assert sum(each.result() for each in done) == len(sent)
    assert len(smtp.mails) == len(sent)


# --- the mail server ------------------------------------------------------------


def test_a_mail_server_that_is_away_delays_the_mail(linked, smtp, settings, caplog):
    event = linked()
    linked()
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1

    assert notices.send_pending() == 0
    assert state_of(event) == Event.Notice.PENDING
    assert caplog.text.count("mail server refuses, error=ConnectionRefusedError") == 1

    settings.EMAIL_PORT = port
    assert notices.send_pending() == 2
    assert len(smtp.mails) == 2


def test_an_address_that_is_refused_for_good_holds_nothing_up(linked, smtp, caplog):
    event = linked()
    smtp.recipient = "550 no such person"

    assert notices.send_pending() == 1

    assert state_of(event) == Event.Notice.SENT
    assert f"mail refused for good, event={event.pk}" in caplog.text


def test_a_mail_that_is_refused_for_good_holds_nothing_up(linked, smtp):
    event = linked()
    smtp.data = "554 we do not like it"

    assert notices.send_pending() == 1
    assert state_of(event) == Event.Notice.SENT


@pytest.mark.parametrize("place", ["recipient", "data"])
def test_a_mail_that_is_put_off_waits_and_the_others_do_not(linked, smtp, place):
    first, second = linked(), linked()
    setattr(smtp, place, "450 come back later")

    assert notices.send_pending() == 0
    assert smtp.connections == 2
    assert state_of(first) == state_of(second) == Event.Notice.PENDING

    setattr(smtp, place, "250 fine")
    assert notices.send_pending() == 2
    assert len(smtp.mails) == 2


def test_one_whose_mail_was_put_off_gets_it_later_and_the_others_no_second(smtp, db):
    for name in ("Ada", "Grace", "Joan"):
        make_operator(name)
    app = factories.make_oauth_app()
    event = events.record(Event.Kind.CONFIGURATION_REFUSED, oauth_app=app, error="x")
    smtp.slow = "grace@example.org"

    assert notices.send_pending() == 0
    assert state_of(event) == Event.Notice.PENDING
    assert len(smtp.mails) == 2

    smtp.slow = None
    assert notices.send_pending() == 1
    assert len(smtp.mails) == 3
    assert b"grace@example.org" in smtp.mails[-1]
