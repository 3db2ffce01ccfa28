"""What happened to a grant, in words, for one organization."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from confluence_link import events
from confluence_link.models import Event, Grant, database_now
from tests import factories
from tests.confluence_link.views.addresses import url

Kind = Event.Kind


@pytest.fixture
def record(cloud_site):
    def record(kind, **facts):
        return events.record(kind, grant=cloud_site.grant, **facts)

    return record


@pytest.fixture
def shown(alice_client, cloud_site):
    def shown(**query):
        response = alice_client.get(url("timeline", cloud_site), query)
        assert response.status_code == 200
        return response.content.decode()

    return shown


def test_a_new_link_begins_its_timeline(shown):
    html = shown()
    assert "Northwind linked" in html
    assert "by alice@example.org" in html


def test_the_last_refresh_is_told_and_so_is_a_failure(shown, record, cloud_site):
    record(Kind.REFRESH_FAILED, answer="busy", error="429")
    renewed_at = database_now() - timedelta(hours=3)
    Grant.objects.filter(pk=cloud_site.grant_id).update(last_rotated_at=renewed_at)
    html = shown()
    assert "asked us to come back later" in html
    text = re.sub(r"<[^>]+>", "", html).replace("\N{NO-BREAK SPACE}", " ")
    assert "last renewed 3 hours ago" in text


def test_a_dead_grant_is_explained(shown, record):
    record(Kind.RECONNECT_NEEDED, reason="idle_expired")
    html = shown()
    assert "Reconnect needed" in html
    assert "not renewed for so long" in html


def test_an_unknown_reason_is_not_shown(shown, record):
    record(Kind.RECONNECT_NEEDED, reason="<b>remote words</b>")
    record(Kind.REFRESH_FAILED, answer="<b>remote words</b>", error="<b>")
    assert "remote words" not in shown()


def test_a_refused_link_says_which_refusal_it_was(shown, record, organization):
    record(Kind.LINK_REFUSED, organization=organization, reason="missing_scopes")
    assert "Some permissions are missing." in shown()


def test_a_pages_title_is_escaped(shown, record, organization):
    record(Kind.PAGE_CREATED, organization=organization, title="<b>x</b>", page_id="1")
    assert "Page “&lt;b&gt;x&lt;/b&gt;” created" in shown()


def test_another_organizations_events_are_not_shown(shown, record, other_organization):
    record(
        Kind.PAGE_CREATED, organization=other_organization, title="Secret", page_id="1"
    )
    assert "Secret" not in shown()


def test_what_was_before_this_organization_is_not_shown(
    shown, record, organization, cloud_site
):
    first = Event.objects.filter(organization=organization).earliest("at")
    before = record(Kind.RECOVERED)
    Event.objects.filter(pk=before.pk).update(at=first.at.replace(year=2020))
    assert "works again" not in shown()


def test_a_member_of_another_organization_is_not_named(shown, record, bob):
    record(Kind.GRANT_UNLINKED, actor=bob)
    html = shown()
    assert "Tokens erased" in html
    assert "bob@example.org" not in html


def test_operators_are_not_named(shown, record):
    record(Kind.REFRESH_ASKED, actor=factories.make_user("Ada", is_staff=True))
    html = shown()
    assert "by an operator" in html
    assert "ada@example.org" not in html


def test_a_long_timeline_is_paged_without_a_gap_or_a_repeat(
    shown, record, organization
):
    made = [
        record(Kind.PAGE_CREATED, organization=organization, title=f"n{i}", page_id="1")
        for i in range(95)
    ]
    # Many at the same instant: the page's end falls between them.
    Event.objects.filter(pk__in=[event.pk for event in made]).update(at=made[0].at)
    titles, html = [], shown()
    while True:
        titles += re.findall(r"Page “(n\d+)” created", html)
        older = re.search(r'rel="next" href="\?*[^"]*before=([^"&]+)"', html)
        if not older:
            break
        html = shown(before=older[1].replace("%7E", "~"))
    assert titles == [f"n{i}" for i in reversed(range(95))]


def test_no_integer_key_is_in_the_address(shown, record, organization):
    last = [
        record(Kind.PAGE_CREATED, organization=organization, title="x", page_id="1")
        for _ in range(50)
    ][-1]
    assert f"before={last.pk}" not in shown()


@pytest.mark.parametrize("before", ["x", "~", "9" * 40 + "~1", "-1~-1", "1~x", "\0"])
def test_a_nonsense_cursor_is_no_accident(shown, before):
    assert "Timeline" in shown(before=before)


def test_a_foreign_timeline_is_not_found(bob_client, cloud_site):
    assert bob_client.get(url("timeline", cloud_site)).status_code == 404
