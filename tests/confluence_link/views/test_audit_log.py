"""The audit log: who may read it, what is in it, filters, pages, export."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership
from confluence_link import events, linking
from confluence_link.models import Event, database_now
from confluence_link.views import audit_log
from tests import factories, many

Kind = Event.Kind
DAY = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOSTILE = '=cmd()<script>alert(1)</script>" onload="{{ 7|add:7 }}\u202e\r\nX: y'


def address(organization, name="audit_log"):
    return reverse(f"confluence_link:{name}", args=[organization.slug])


@pytest.fixture
def site(organization, alice):
    (site,) = many.links(organization, alice, site={"name": "Wiki"})
    return site


@pytest.fixture
def log(alice_client, organization):
    """The lines of a page, as `Line`."""

    def log(**query):
        response = alice_client.get(address(organization), query)
        assert response.status_code == 200
        return response.context["lines"]

    return log


@pytest.fixture
def exported(alice_client, organization):
    def exported(**query):
        response = alice_client.get(address(organization, "audit_log_csv"), query)
        assert response.status_code == 200
        text = response.content.decode("utf-8-sig")
        return list(csv.reader(StringIO(text, newline="")))

    return exported


@pytest.fixture
def record(organization):
    def record(kind=Kind.MEMBER_JOINED, *, at=None, **fields):
        event = events.record(kind, **{"organization": organization, **fields})
        if at:
            Event.objects.filter(pk=event.pk).update(at=at)
        return event

    return record


def titles(lines):
    return [line.title for line in lines]


# --- what is in it --------------------------------------------------------------


def test_events_of_the_organization_are_there_newest_first(log, record, alice):
    record(actor=alice, who="dave@example.org", role="member")
    record(Kind.MEMBER_REMOVED, actor=alice, who="dave@example.org")

    assert titles(log()) == ["dave@example.org removed", "dave@example.org joined"]
    assert {line.actor for line in log()} == {"alice@example.org"}


def test_what_its_grants_go_through_is_there(log, site):
    many.events([site], Kind.RECONNECT_NEEDED, facts={"reason": "revoked"})

    (line,) = log()
    assert (line.title, line.account) == ("Reconnect needed", "Alice Adams")


def test_t03_events_of_another_organization_are_not_there(
    log, exported, other_organization, bob
):
    (theirs,) = many.links(other_organization, bob)
    events.record(Kind.MEMBER_JOINED, organization=other_organization, who="eve")
    many.events([theirs], Kind.RECOVERED)

    assert log() == []
    assert len(exported()) == 1


def test_t03_a_shared_grant_tells_nothing_of_the_other_organization(
    log, site, alice, bob, other_organization
):
    factories.join(alice, other_organization)
    other = many.links(other_organization, alice, site={"grant": site.grant})
    events.record(
        Kind.PAGE_CREATED,
        organization=other_organization,
        grant=site.grant,
        actor=bob,
        title="Secret",
    )
    events.record(Kind.GRANT_PAUSED, grant=site.grant, actor=bob)

    assert other
    ((title, actor),) = [(line.title, line.actor) for line in log()]
    assert (title, actor) == ("Paused", "")


def test_t03_what_a_grant_went_through_before_is_not_there(log, site, record):
    record(Kind.RECOVERED, organization=None, grant=site.grant, at=DAY)

    assert log() == []


def test_the_end_of_a_grant_is_there_though_its_link_is_gone(log, site, alice):
    linking.unlink(linked_site=site, actor=alice)

    assert titles(log()) == ["Tokens erased", "Wiki unlinked"]


def test_what_happens_to_a_server_of_its_own_is_there(
    log, organization, other_organization
):
    for owner in (organization, other_organization, None):
        app = factories.make_oauth_app(
            base_url="https://wiki.example.org", organization=owner
        )
        events.record(Kind.CONFIGURATION_REFUSED, oauth_app=app, error="x")

    assert titles(log()) == ["Settings of the server refused"]


def test_operators_are_not_named(log, record, admin_client):
    ada = factories.make_user("Odo", is_staff=True)
    record(Kind.UNLINKED, actor=ada, site="Wiki")

    (line,) = log()
    assert line.actor == "an operator"


def test_an_operator_who_is_a_member_is_named(log, record, organization):
    ada = factories.make_user("Odo", is_staff=True)
    factories.join(ada, organization)
    record(Kind.UNLINKED, actor=ada, site="Wiki")

    assert [line.actor for line in log()] == ["odo@example.org"]


# --- who may read it --------------------------------------------------------------


@pytest.mark.parametrize("name", ["audit_log", "audit_log_csv"])
def test_members_and_strangers_do_not_read_it(
    carol_client, bob_client, organization, name
):
    assert carol_client.get(address(organization, name)).status_code == 403
    assert bob_client.get(address(organization, name)).status_code == 404
    assert Client().get(address(organization, name)).status_code == 302


def test_admins_read_it(organization):
    amy = factories.make_user("Amy")
    Membership.objects.create(organization=organization, user=amy, role="admin")

    page = factories.sign_in(Client(), amy).get(address(organization))

    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]


# --- filters --------------------------------------------------------------------


def test_it_is_filtered_by_kind(log, record):
    record(Kind.MEMBER_JOINED, who="dave@example.org")
    record(Kind.SERVER_ADDED, server="Wiki")

    assert titles(log(kind="servers")) == ["Server Wiki added"]
    assert titles(log(kind="people")) == ["dave@example.org joined"]
    assert log(kind="keys") == []


def test_it_is_filtered_by_who_did_it(log, record, alice, carol):
    record(actor=alice, who="one")
    record(actor=carol, who="two")

    assert titles(log(person="Carol@example.org")) == ["two joined"]
    assert log(person="nobody@example.org") == []


def test_t03_the_filter_finds_nobody_who_is_not_named(
    log, site, bob, other_organization, record
):
    odo = factories.make_user("Odo", is_staff=True)
    events.record(Kind.SITES_LISTED, grant=site.grant, actor=bob)
    record(Kind.REFRESH_ASKED, grant=site.grant, actor=odo)
    record(Kind.UNLINKED, actor=odo, site="Wiki")

    assert log(person="bob@example.org") == log(person="odo@example.org") == []


def test_it_is_filtered_by_linked_site(log, site, record, alice, organization):
    (other,) = many.links(organization, alice, site={"name": "Northwind"})
    record(Kind.SITE_LOST, grant=site.grant, site="Wiki")
    record(Kind.SITE_LOST, grant=other.grant, site="Northwind")
    many.events([site, other], Kind.RECOVERED)

    assert titles(log(site="wik")) == [
        "Refreshing works again",
        "Wiki no longer reachable",
    ]
    assert len(log(site="nothing like it")) == 0


def test_one_grants_sites_are_told_apart(log, site, record, alice, organization):
    many.links(organization, alice, site={"name": "Northwind", "grant": site.grant})
    record(Kind.SITE_LOST, grant=site.grant, site="Northwind")

    assert log(site="Wiki") == []


def test_it_is_filtered_by_days(log, record):
    for days, who in enumerate(("first", "second", "third")):
        record(at=DAY + timedelta(days=days), who=who)

    assert titles(log(since="2026-05-05")) == ["third joined", "second joined"]
    assert titles(log(until="2026-05-04")) == ["first joined"]
    assert titles(log(since="2026-05-05", until="2026-05-05")) == ["second joined"]
    assert len(log(since="0001-01-01", until="9999-12-31")) == 3


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"kind": "nonsense"}, "Choose one of the list"),
        ({"kind": "a\0"}, "Choose one of the list"),
        ({"person": "not an address"}, "Enter a whole e-mail address"),
        ({"person": "a\0@b.example"}, "Null characters are not allowed"),
        ({"site": "x" * 300}, "at most 255 characters"),
        ({"site": "\0"}, "Null characters are not allowed"),
        ({"since": "yesterday"}, "Enter a date, as in 2026-11-22"),
        ({"until": "2026-02-30"}, "Enter a date, as in 2026-11-22"),
        ({"since": "2026-05-05", "until": "2026-05-04"}, "before the first day"),
    ],
)
@pytest.mark.parametrize("name", ["audit_log", "audit_log_csv"])
def test_bad_input_is_answered_with_the_reason(
    alice_client, organization, record, name, query, words
):
    record(who="dave@example.org")

    page = alice_client.get(address(organization, name), query)

    assert page.status_code == 400
    assert page["Content-Type"].startswith("text/html")
    assert words in page.content.decode()
    assert "dave@example.org" not in page.content.decode()


# --- pages ------------------------------------------------------------------------


def test_a_long_log_is_paged_without_a_gap_or_a_repeat(
    alice_client, organization, log, record
):
    made = [record(who=f"n{number}") for number in range(120)]
    Event.objects.filter(pk__in=[event.pk for event in made[20:90]]).update(at=DAY)
    found, before = [], ""
    while True:
        page = alice_client.get(
            address(organization), {"kind": "people", "before": before}
        )
        found += titles(page.context["lines"])
        older = re.search(r"before=([^&]+)", page.context["next_url"])
        if not older:
            break
        before = older[1].replace("%7E", "~")

    assert len(found) == len(set(found)) == 120
    assert "kind=people" in page.context["first_url"]


@pytest.mark.parametrize("before", ["x", "~", "9" * 40 + "~1", "\0"])
def test_a_nonsense_cursor_is_the_beginning(log, record, before):
    record(who="dave")

    assert titles(log(before=before)) == ["dave joined"]


def test_the_log_asks_the_same_for_one_event_and_for_many(
    alice_client, organization, record, alice, site
):
    def count(name):
        with CaptureQueriesContext(connection) as queries:
            alice_client.get(address(organization, name))
        return len(queries)

    record(actor=alice, grant=site.grant)
    count("audit_log")
    few = [count("audit_log"), count("audit_log_csv")]
    for person in many.members(organization, 60):
        record(actor=person, grant=site.grant)

    assert [count("audit_log"), count("audit_log_csv")] == few


# --- export -----------------------------------------------------------------------


def test_the_export_has_what_the_filter_leaves(exported, record, alice, site):
    record(Kind.SITE_LOST, at=DAY, site="Wiki", grant=site.grant)
    record(Kind.MEMBER_JOINED, actor=alice, who="dave@example.org", role="member")

    head, row = exported(kind="links")

    assert head == list(audit_log._HEAD)
    assert row == [
        "2026-05-04 12:00:00",
        "site.lost",
        "Wiki no longer reachable",
        "The account's token does not reach this site any more.",
        "",
        "Wiki",
        "Alice Adams",
        site.grant.oauth_app.name,
    ]


def test_the_export_is_a_file_of_its_own_name(alice_client, organization):
    response = alice_client.get(address(organization, "audit_log_csv"))

    today = f"{database_now():%Y-%m-%d}"
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == (
        f'attachment; filename="audit-log-alice-and-co-{today}.csv"'
    )
    assert not response.streaming
    assert response.content.startswith(b"\xef\xbb\xbf")


def test_the_export_link_keeps_the_filter(alice_client, organization, record):
    page = alice_client.get(address(organization), {"kind": "people"}).content.decode()

    assert f'href="{address(organization, "audit_log_csv")}?kind=people"' in page


def test_a_long_export_says_that_it_was_cut(exported, record, monkeypatch):
    monkeypatch.setattr(audit_log, "EXPORTED", 3)
    for number in range(5):
        record(who=f"n{number}")

    rows = exported()

    assert [row[2] for row in rows[1:-1]] == ["n4 joined", "n3 joined", "n2 joined"]
    assert rows[-1][0].startswith("Only the newest 3 events")


# --- hostile names ----------------------------------------------------------------


def test_h13_hostile_names_are_escaped_on_the_page(
    alice_client, organization, record, site, alice
):
    type(alice).objects.filter(pk=alice.pk).update(email=HOSTILE)
    type(site.grant).objects.update(account_name=HOSTILE)
    site.grant.oauth_app.name = HOSTILE[:100]
    site.grant.oauth_app.save()
    record(Kind.LINKED, actor=alice, grant=site.grant, site=HOSTILE)

    response = alice_client.get(address(organization), {"site": HOSTILE})
    html = response.content.decode()

    assert response.status_code == 200
    assert len(response.context["lines"]) == 1
    assert "<script>alert" not in html
    assert '" onload="' not in html


def test_d06_hostile_names_are_no_formulas_in_the_export(exported, record, alice, site):
    type(alice).objects.filter(pk=alice.pk).update(email="=evil@example.org")
    type(site.grant).objects.update(account_name="@account")
    site.grant.oauth_app.name = "\uff1dapp"
    site.grant.oauth_app.save()
    record(Kind.LINKED, actor=alice, grant=site.grant, site=HOSTILE)

    _, row = exported()

    assert row[2].startswith("'=cmd()")
    assert row[4:] == ["'=evil@example.org", f"'{HOSTILE}", "'@account", "'\uff1dapp"]
