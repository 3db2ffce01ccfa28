"""Reminders of a grant's end: at each step, once, and to those who may know."""

from __future__ import annotations

import html
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection

from accounts.models import Membership
from confluence_link import forecast, notices, tasks
from confluence_link.models import Event, Grant, database_now
from confluence_link.notices import reminders
from tests import factories, many

DAY = timedelta(days=1)


def left(days):
    """The moment of consent of what ends in so many days."""
    return database_now() - (365 - days) * DAY


@pytest.fixture
def site(organization, carol):
    """Carol's, who is a member; shared; ends in 200 days."""
    (site,) = many.links(
        organization, carol, site={"name": "Wiki"}, consented_at=left(200)
    )
    return site


@pytest.fixture
def amy(organization):
    """An admin."""
    amy = factories.make_user("Amy")
    Membership.objects.create(organization=organization, user=amy, role="admin")
    return amy


def days_pass(days):
    """For grants and events; what is idle or failing is as old as it becomes."""
    for grant in Grant.objects.all():
        for name in ("consented_at", "last_rotated_at", "reminded_at"):
            at = getattr(grant, name)
            setattr(grant, name, at and at - days * DAY)
        grant.save()


def reminded():
    """The days of the reminders that are recorded, oldest first."""
    told = Event.objects.filter(kind=Event.Kind.ENDS_SOON).order_by("pk")
    return [event.facts["days"] for event in told]


def sent():
    notices.send_pending()
    return sorted((message.to[0], message.subject) for message in mail.outbox)


def day_of(at):
    return f"{at.day} {at:%B %Y}"


# --- when ---------------------------------------------------------------------------


def test_f39_reminders_come_30_14_7_and_1_days_ahead_and_once_each(site):
    Grant.objects.update(consented_at=left(32))
    for _ in range(34):
        for _ in range(3):
            reminders.remind()
        days_pass(1)
    assert reminded() == [30, 14, 7, 1]


def test_a_reminder_is_a_pending_event_with_the_days(site):
    Grant.objects.update(consented_at=left(14))
    tasks.remind_of_ends()
    (event,) = Event.objects.filter(kind=Event.Kind.ENDS_SOON)
    assert event.grant_id == site.grant_id
    assert event.notice == Event.Notice.PENDING
    assert event.facts["days"] == 14
    assert event.facts["ends_on"] == day_of(database_now() + 14 * DAY)


def test_after_a_week_of_ours_away_only_the_nearest_is_sent(site):
    Grant.objects.update(consented_at=left(20))
    reminders.remind()
    days_pass(15)
    assert reminders.remind() == 1
    assert reminded() == [20, 5]


@pytest.mark.parametrize("status", ["reconnect_needed", "unlinked", "paused"])
def test_nobody_is_reminded_of_what_is_not_active(site, status):
    Grant.objects.update(consented_at=left(7), status=status)
    assert reminders.remind() == 0


@pytest.mark.parametrize("days", [-1, 31, 200])
def test_nobody_is_reminded_out_of_time(site, days):
    Grant.objects.update(consented_at=left(days))
    assert reminders.remind() == 0


def test_data_center_has_no_last_day_to_be_reminded_of(organization, carol):
    app = factories.make_oauth_app(base_url="https://wiki.example.org")
    many.links(organization, carol, app=app, consented_at=left(7))
    assert reminders.remind() == 0


def test_a_new_consent_starts_anew(site):
    Grant.objects.update(consented_at=left(7))
    reminders.remind()
    Grant.objects.update(consented_at=database_now(), epoch=2)
    days_pass(335)
    reminders.remind()
    assert reminded() == [7, 30]


def test_f39_what_cannot_be_refreshed_is_reminded_of_until_it_can(site):
    Grant.objects.update(
        last_rotated_at=database_now() - 61 * DAY, last_error="timeout"
    )
    reminders.remind()
    days_pass(16)
    reminders.remind()
    assert reminded() == [29, 13]
    Grant.objects.update(last_rotated_at=database_now(), last_error="")
    days_pass(10)
    assert reminders.remind() == 0
    Grant.objects.update(
        last_rotated_at=database_now() - 83 * DAY, last_error="timeout"
    )
    # Once more in trouble, and for so long: that is another end.
    Grant.objects.update(reminded_at=database_now() - 40 * DAY)
    reminders.remind()
    assert reminded() == [29, 13, 7]


def test_two_ends_at_once_are_one_reminder(site):
    Grant.objects.update(
        consented_at=left(20),
        last_rotated_at=database_now() - 85 * DAY,
        last_error="timeout",
    )
    assert reminders.remind() == 1
    assert reminded() == [5]


def test_who_reconnects_while_a_beat_looks_is_not_reminded(site):
    Grant.objects.update(consented_at=left(7))
    (limit,) = [each for each in forecast.LIMITS if each.name == "absolute"]
    row = Grant.objects.select_related("oauth_app").get()
    Grant.objects.update(consented_at=database_now(), epoch=2)
    assert not reminders._tell(row, limit, database_now())


@pytest.mark.django_db(transaction=True)
def test_of_many_beats_at_the_same_instant_one_reminds(organization, carol):
    many.links(organization, carol, 5, consented_at=left(7))
    start = threading.Barrier(4)

    def beat():
        start.wait()
        try:
            return reminders.remind()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        told = [future.result() for future in [pool.submit(beat) for _ in range(4)]]
    assert sum(told) == 5
    assert len(reminded()) == 5


def test_the_queries_do_not_grow_with_the_grants(
    organization, carol, django_assert_num_queries
):
    many.links(organization, carol, 50, consented_at=left(200))
    with django_assert_num_queries(9):
        reminders.remind()


# --- who and what -------------------------------------------------------------------


def test_30_days_ahead_only_the_accounts_person_hears(site, amy):
    Grant.objects.update(consented_at=left(30))
    reminders.remind()
    on = day_of(database_now() + 30 * DAY)
    assert sent() == [("carol@example.org", f"Your Confluence link ends on {on}")]


def test_from_7_days_on_who_may_ask_for_a_shared_site_hears_too(site, amy, bob):
    Grant.objects.update(consented_at=left(7))
    reminders.remind()
    on = day_of(database_now() + 7 * DAY)
    here = f"Alice and Co: a linked site needs carol@example.org by {on}"
    assert sent() == [
        ("alice@example.org", here),
        ("amy@example.org", here),
        ("carol@example.org", f"Your Confluence link ends on {on}"),
    ]


def test_of_an_own_site_nobody_else_hears(site, amy):
    site.shared = False
    site.save()
    Grant.objects.update(consented_at=left(1))
    reminders.remind()
    assert [address for address, _ in sent()] == ["carol@example.org"]


@pytest.mark.parametrize("change", ["left", "demoted", "deactivated"])
def test_t19_who_lost_the_right_before_the_mail_hears_nothing(
    site, amy, organization, change
):
    Grant.objects.update(consented_at=left(7))
    reminders.remind()
    mine = Membership.objects.filter(user=amy, organization=organization)
    if change == "left":
        mine.delete()
    elif change == "demoted":
        mine.update(role="member")
    else:
        type(amy).objects.filter(pk=amy.pk).update(is_active=False)
    told = {address for address, subject in sent() if "a linked site needs" in subject}
    assert told == {"alice@example.org"}


@pytest.mark.parametrize(
    "change",
    [
        {"status": "reconnect_needed"},
        {"status": "paused"},
        {"epoch": 2, "consented_at": None},
    ],
)
def test_nobody_hears_of_what_changed_before_the_mail(site, change):
    Grant.objects.update(consented_at=left(7))
    reminders.remind()
    if "consented_at" in change:
        change = {**change, "consented_at": database_now()}
    Grant.objects.update(**change)
    assert sent() == []


def test_the_mail_leads_to_the_page_that_reconnects(
    site, carol_client, organization, settings
):
    settings.PUBLIC_URL = "https://link.example.org"
    Grant.objects.update(consented_at=left(1))
    reminders.remind()
    notices.send_pending()
    (message,) = [each for each in mail.outbox if each.to == ["carol@example.org"]]
    ((markup, _),) = message.alternatives
    (address,) = {html.unescape(url) for url in re.findall(r'href="([^"]+)"', markup)}
    assert address in message.body
    page = carol_client.get(address.removeprefix("https://link.example.org"))
    assert page.status_code == 200
    assert "Wiki" in page.content.decode()


@pytest.mark.parametrize("days", [1, 7])
@pytest.mark.parametrize("limit", ["absolute", "idle"])
def test_no_name_begins_a_header_runs_or_stays_markup(site, amy, days, limit):
    hostile = 'evil\r\nBcc: x@y.example <script>alert(1)</script>" {{ 7|add:7 }}'
    type(site).objects.update(name=hostile)
    site.grant.oauth_app.name = hostile[:90]
    site.grant.oauth_app.save()
    fields = {"account_name": hostile, "consented_at": left(days)}
    if limit == "idle":
        rotated_at = database_now() - (90 - days) * DAY
        fields |= {"consented_at": left(200), "last_rotated_at": rotated_at}
        fields |= {"last_error": "timeout"}
    Grant.objects.update(**fields)
    reminders.remind()
    notices.send_pending()
    assert len(mail.outbox) == 3
    for message in mail.outbox:
        ((markup, _),) = message.alternatives
        assert "Bcc" not in message.message()
        assert "<script>alert" not in markup
        assert "None" not in message.body
        assert "{%" not in markup + message.body
