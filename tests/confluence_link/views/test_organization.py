"""The organization's home: a picture of its health, and what needs somebody."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Invitation, Membership, random_public_id
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    OAuthAppHealth,
    VacantSite,
    database_now,
)
from tests import factories, many
from tests.confluence_link.views.addresses import sites_url


def home(client, organization):
    response = client.get(organization.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def needs(client, organization):
    response = client.get(organization.get_absolute_url())
    return [(need.title, need.button) for need in response.context["needs"]]


@pytest.fixture
def amy(organization):
    """An admin."""
    amy = factories.make_user("Amy")
    Membership.objects.create(organization=organization, user=amy, role="admin")
    return amy


@pytest.fixture
def amy_client(amy):
    return factories.sign_in(Client(), amy)


# --- the picture ----------------------------------------------------------------


def test_an_empty_organization_is_told_how_to_begin(alice_client, organization):
    text = text_of(home(alice_client, organization))

    assert "How to begin" in text
    assert "Link an account" in text
    assert "Add a server" in text
    assert "Invite people" in text
    assert "Refreshes of the last day" not in text


def test_a_member_of_an_empty_organization_is_asked_for_what_a_member_may(
    carol_client, organization
):
    text = text_of(home(carol_client, organization))

    assert "Link an account" in text
    assert "Add a server" not in text
    assert "Invite people" not in text


def test_linked_sites_are_counted_by_how_they_are(alice_client, alice, organization):
    many.links(organization, alice, 3)
    many.links(organization, alice, 2, consecutive_failures=1)
    many.links(organization, alice, 1, status=Grant.Status.RECONNECT_NEEDED)
    many.links(organization, alice, 1, site={"status": LinkedSite.Status.LOST})

    text = text_of(home(alice_client, organization))

    assert "7 sites." in text
    for words in (
        "Connected 3",
        "Having trouble 2",
        "Reconnect needed 1",
        "No longer reachable 1",
    ):
        assert words in text


def test_every_number_of_the_drawing_is_in_words_too(alice_client, alice, organization):
    sites = many.links(organization, alice, 2)
    many.refreshed(sites)
    many.events(sites[:1], Event.Kind.REFRESH_FAILED)

    html = home(alice_client, organization)

    assert 'aria-label="2 refreshed and 1 failed in the last day, by hour"' in html
    assert "2 refreshed, 1 failed." in text_of(html)
    assert '<svg class="strip"' in html


def test_nothing_is_drawn_by_inline_style_or_script(alice_client, alice, organization):
    many.links(organization, alice)

    html = home(alice_client, organization)

    assert "style=" not in html
    assert "<script" not in html


def test_t03_numbers_are_of_this_organization_alone(
    alice_client, alice, bob, organization, other_organization
):
    many.links(organization, alice)
    theirs = many.links(
        other_organization, bob, 3, status=Grant.Status.RECONNECT_NEEDED
    )
    many.refreshed(theirs)
    many.events(theirs, Event.Kind.REFRESH_FAILED)

    text = text_of(home(alice_client, organization))

    assert "1 site." in text
    assert "0 refreshed, 0 failed." in text
    assert "needs a reconnect" not in text


def test_t03_what_a_grant_served_before_is_not_counted(
    alice_client, alice, bob, organization, other_organization
):
    factories.join(alice, other_organization)
    (theirs,) = many.links(other_organization, alice, 1)
    many.refreshed([theirs])
    many.events([theirs] * 3, Event.Kind.REFRESH_FAILED)
    LinkedSite.objects.create(
        organization=organization, grant=theirs.grant, site_id="s", name="S", url="u"
    )

    assert "0 refreshed, 0 failed." in text_of(home(alice_client, organization))


def test_t03_a_member_is_told_nothing_of_sites_that_others_keep(
    carol_client, alice, organization
):
    kept = many.links(
        organization,
        alice,
        site={"shared": False, "name": "Secret garden"},
        status=Grant.Status.RECONNECT_NEEDED,
    )
    many.refreshed(kept)

    html = home(carol_client, organization)

    assert "Secret garden" not in html
    assert "How to begin" in html


def test_t03_a_member_is_not_told_how_often_sites_that_others_keep_were_refreshed(
    carol_client, alice_client, alice, organization
):
    kept = many.links(organization, alice, 2, site={"shared": False})
    many.links(organization, alice)
    many.refreshed(LinkedSite.objects.all())
    many.events(kept, Event.Kind.REFRESH_FAILED)

    members, owners = (
        text_of(home(client, organization)) for client in (carol_client, alice_client)
    )

    assert "1 refreshed, 0 failed." in members
    assert "Of the sites that are shared here." in members
    assert "3 refreshed, 2 failed." in owners
    assert "Of the sites that are shared here." not in owners


def test_strangers_find_nothing(bob_client, organization):
    assert bob_client.get(organization.get_absolute_url()).status_code == 404


def test_the_home_asks_the_same_for_one_site_and_for_many(
    alice_client, alice, organization
):
    def count():
        with CaptureQueriesContext(connection) as queries:
            home(alice_client, organization)
        return len(queries)

    many.links(organization, alice, 1, status=Grant.Status.RECONNECT_NEEDED)
    count()
    few = count()
    many.links(organization, alice, 30, status=Grant.Status.RECONNECT_NEEDED)

    assert count() == few


# --- what needs somebody --------------------------------------------------------


def test_where_nothing_is_wrong_the_home_says_so(alice_client, alice, organization):
    many.links(organization, alice)

    assert "Nothing needs anybody" in home(alice_client, organization)


def test_whoever_owns_the_account_is_led_to_reconnect(
    alice_client, alice, organization
):
    many.links(
        organization,
        alice,
        site={"name": "Wiki"},
        status=Grant.Status.RECONNECT_NEEDED,
        death_reason=Grant.DeathReason.IDLE_EXPIRED,
    )

    html = home(alice_client, organization)

    assert needs(alice_client, organization) == [
        ("Wiki needs a reconnect", "Reconnect")
    ]
    assert "not renewed for so long" in html
    assert "reconnect=" in html


def test_the_others_are_told_whose_the_account_is(carol_client, alice, organization):
    many.links(organization, alice, status=Grant.Status.RECONNECT_NEEDED)

    text = text_of(home(carol_client, organization))

    assert "Only alice@example.org can reconnect it" in text
    assert "Reconnect:" not in text


def test_who_may_ask_people_to_link_is_led_to_it(
    amy_client, alice, carol, carol_client, organization
):
    dead = {"status": Grant.Status.RECONNECT_NEEDED, "site": {"name": "Wiki"}}
    many.links(organization, alice, **dead)

    assert needs(amy_client, organization) == [("Wiki needs a reconnect", "Ask them")]
    assert needs(carol_client, organization) == [("Wiki needs a reconnect", "")]


def test_every_need_leads_somewhere(alice_client, alice, carol, organization, vacant):
    dead = {"status": Grant.Status.RECONNECT_NEEDED}
    many.links(organization, alice, **dead)
    many.links(organization, carol, 6, **dead)
    vacant()
    vacant(adopter=alice)
    ended = {"client_certificate_expires_at": database_now()}
    for fields in ({"client_id": ""}, ended):
        app = factories.make_oauth_app(
            base_url="https://wiki.example.org", organization=organization, **fields
        )
        OAuthAppHealth.objects.create(
            oauth_app=app, configuration_refused_since=database_now()
        )

    response = alice_client.get(organization.get_absolute_url())

    found = [need for need in response.context["needs"] if need.button]
    assert len(found) >= 8
    for need in found:
        assert alice_client.get(need.url).status_code == 200, need


def test_ones_own_come_first_and_the_rest_is_one_line(
    alice_client, alice, carol, organization
):
    dead = {"status": Grant.Status.RECONNECT_NEEDED}
    many.links(organization, carol, 6, **dead)
    many.links(organization, alice, 1, site={"name": "Zebra"}, **dead)

    found = needs(alice_client, organization)

    assert found[0] == ("Zebra needs a reconnect", "Reconnect")
    assert found[-1] == ("More sites need a reconnect", "See all")
    assert len(found) == 4


def test_a_lost_site_is_told(alice_client, alice, organization):
    many.links(organization, alice, site={"status": "lost", "name": "Wiki"})

    assert needs(alice_client, organization) == [
        ("Wiki is no longer reachable", "Reconnect")
    ]


@pytest.fixture
def vacant(organization, carol):
    def make(**fields):
        return VacantSite.objects.create(
            **{
                "public_id": random_public_id(),
                "organization": organization,
                "oauth_app": factories.make_oauth_app(),
                "site_id": "site",
                "name": "Orphan",
                "url": "https://wiki.example.org",
                "vacated_at": database_now(),
                **fields,
            }
        )

    return make


def test_a_site_without_an_account_wants_an_admin_first(
    amy_client, carol_client, organization, vacant
):
    vacant()

    assert "An admin must name who takes it over" in home(carol_client, organization)
    assert needs(carol_client, organization) == [("Orphan has no account", "")]
    assert needs(amy_client, organization) == [
        ("Orphan has no account", "Ask somebody")
    ]


def test_who_was_asked_takes_it_over(
    alice_client, carol_client, organization, vacant, carol
):
    vacant(adopter=carol)

    assert needs(carol_client, organization) == [
        ("Orphan has no account", "Take it over")
    ]
    assert "carol@example.org was asked" in home(alice_client, organization)


def test_a_vacant_site_that_was_kept_is_told_to_admins_alone(
    amy_client, carol_client, organization, vacant
):
    vacant(shared=False)

    assert needs(carol_client, organization) == []
    assert needs(amy_client, organization) != []


def test_a_server_that_refuses_our_settings_is_told_with_who_must_act(
    amy_client, carol_client, organization
):
    for fields in ({"organization": organization}, {"name": "Everyone's"}):
        app = factories.make_oauth_app(
            **{"name": "Wiki", "base_url": "https://wiki.example.org", **fields}
        )
        OAuthAppHealth.objects.create(
            oauth_app=app, configuration_refused_since=database_now()
        )

    text = text_of(home(carol_client, organization))
    assert "An admin must check client ID and secret" in text
    assert "The operators of this service have been told" in text
    assert [button for _, button in needs(amy_client, organization)] == [
        "Check the server",
        "",
    ]


def test_client_certificates_that_end_are_told_to_who_can_change_them(
    amy_client, carol_client, organization, other_organization
):
    now = database_now()
    for name, days, owner in (
        ("Over", -1, organization),
        ("Soon", 29, organization),
        ("Later", 31, organization),
        ("Foreign", 1, other_organization),
        ("Everyone's", 1, None),
    ):
        factories.make_oauth_app(
            name=name,
            base_url="https://wiki.example.org",
            organization=owner,
            client_certificate_expires_at=now + timedelta(days=days),
        )

    ((over, change), (soon, _)) = needs(amy_client, organization)
    assert over.startswith("The client certificate for Over ended on ")
    assert soon.startswith("The client certificate for Soon ends on ")
    assert change == "Change it"
    assert needs(carol_client, organization) == []


def test_t03_anothers_server_is_not_told(alice_client, organization, bob_client, bob):
    foreign = factories.make_organization("Foreign", owner=bob)
    app = factories.make_oauth_app(
        base_url="https://wiki.example.org", organization=foreign, client_id=""
    )
    OAuthAppHealth.objects.create(
        oauth_app=app, configuration_refused_since=database_now()
    )

    assert needs(alice_client, organization) == []


def test_a_server_without_client_id_waits_for_those_who_set_up_servers(
    amy_client, carol_client, organization
):
    factories.make_oauth_app(
        name="Wiki",
        base_url="https://wiki.example.org",
        organization=organization,
        client_id="",
    )

    assert needs(amy_client, organization) == [("Wiki waits for its set-up", "Go on")]
    assert needs(carol_client, organization) == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, True),
        ({"accepted_at": "now"}, False),
        ({"revoked_at": "now"}, False),
        ({"hours": 30}, False),
        ({"hours": -1}, False),
    ],
)
def test_invitations_about_to_end_are_told_to_who_invites(
    amy_client, carol_client, alice, organization, fields, told
):
    now = database_now()
    fields = {name: now if at == "now" else at for name, at in fields.items()}
    Invitation.objects.create(
        organization=organization,
        email="dave@example.org",
        role="member",
        token_hash="1" * 64,
        invited_by=alice,
        created_at=now,
        expires_at=now + timedelta(hours=fields.pop("hours", 3)),
        **fields,
    )

    assert bool(needs(amy_client, organization)) == told
    assert needs(carol_client, organization) == []


def test_h13_hostile_names_are_escaped(alice_client, alice, organization, vacant):
    hostile = '<script>alert(1)</script>" onload="x\u202e'
    organization.name = hostile
    organization.save()
    many.links(
        organization,
        alice,
        site={"name": hostile},
        status=Grant.Status.RECONNECT_NEEDED,
    )
    vacant(name=hostile)

    html = home(alice_client, organization)

    assert "<script>alert" not in html
    assert '" onload="' not in html


def test_the_home_leads_to_the_linked_sites(alice_client, alice, organization):
    many.links(organization, alice)

    assert f'href="{sites_url(organization)}"' in home(alice_client, organization)


@pytest.mark.parametrize(("days", "told"), [(29, True), (31, False)])
def test_f39_what_ends_within_30_days_is_told_with_the_way_out(
    alice, alice_client, carol_client, organization, days, told
):
    consented_at = database_now() - timedelta(days=365 - days)
    many.links(organization, alice, site={"name": "Wiki"}, consented_at=consented_at)

    expected = [("Wiki ends soon", "Reconnect")] if told else []
    assert needs(alice_client, organization) == expected
    assert needs(carol_client, organization) == [(title, "") for title, _ in expected]
