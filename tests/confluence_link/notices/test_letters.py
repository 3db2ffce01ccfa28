"""Who hears of what, in which words, and nobody else (T19)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail

from accounts import service_keys
from accounts.models import Membership, ServiceKey, random_public_id
from confluence_link import events, notices
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    VacantSite,
    database_now,
)
from confluence_link.notices.letters import _LETTERS
from tests import factories, many

Kind = Event.Kind
HOSTILE = (
    'evil\r\nBcc: x@y.example <script>alert(1)</script>" {{ 777777|add:777777 }}\u202e'
)


@pytest.fixture
def amy(organization):
    """An admin."""
    amy = factories.make_user("Amy")
    Membership.objects.create(organization=organization, user=amy, role="admin")
    return amy


@pytest.fixture
def site(organization, carol):
    """Carol's, who is a member; shared."""
    (site,) = many.links(organization, carol, site={"name": "Wiki"})
    return site


@pytest.fixture
def linked(site, organization):
    return events.record(
        Kind.LINKED,
        grant=site.grant,
        organization=organization,
        actor=site.linked_by,
        site=site.name,
        linked_site=site.public_id,
    )


@pytest.fixture
def dead(site):
    Grant.objects.filter(pk=site.grant_id).update(
        status=Grant.Status.RECONNECT_NEEDED, death_reason=Grant.DeathReason.REVOKED
    )
    return events.record(Kind.RECONNECT_NEEDED, grant=site.grant, reason="revoked")


@pytest.fixture
def asked(site, organization, carol, alice):
    """Carol is asked to take a site over that nobody links any more."""
    vacant = VacantSite.objects.create(
        public_id=random_public_id(),
        organization=organization,
        oauth_app=site.grant.oauth_app,
        site_id="gone",
        name="Orphan",
        url="https://orphan.example.org",
        adopter=carol,
        vacated_at=database_now(),
    )
    return events.record(
        Kind.ADOPTER_NAMED,
        organization=organization,
        oauth_app=vacant.oauth_app,
        actor=alice,
        site="Orphan",
        linked_site=vacant.public_id,
        who=carol.email,
        member=membership(carol, organization).public_id,
    )


@pytest.fixture
def server(organization):
    return factories.make_oauth_app(
        name="Server",
        provider_id="server",
        base_url="https://wiki.example.org",
        organization=organization,
    )


@pytest.fixture
def exposed(organization, alice):
    """A key of a service stood in an address."""
    key, _ = service_keys.make(
        organization=organization,
        name="Search",
        scopes=["sites:read"],
        expires_at=None,
        actor=alice,
        now=database_now(),
    )
    service_keys.record_exposed(key)
    return key


@pytest.fixture
def unreported(db):
    """A Cloud app through which no account can be reported."""
    app = factories.make_oauth_app(name="Cloud", reporting_refused_at=database_now())
    events.record(Kind.REPORTING_REFUSED, oauth_app=app, reason="no_scope")
    return app


def membership(user, organization):
    return Membership.objects.get(user=user, organization=organization)


def sent():
    """To whom, with which subject."""
    notices.send_pending()
    return sorted((message.to[0], message.subject) for message in mail.outbox)


def receivers():
    return {address for address, _ in sent()}


# --- who --------------------------------------------------------------------------


def test_every_kind_with_a_notice_has_a_letter():
    assert set(_LETTERS) == set(events.WITH_NOTICE)


def test_linker_and_owners_hear_of_a_shared_site(linked, amy):
    assert sent() == [
        ("alice@example.org", "carol@example.org linked Wiki"),
        ("carol@example.org", "Wiki is linked"),
    ]


def test_owners_hear_nothing_of_a_site_that_is_kept(linked):
    LinkedSite.objects.update(shared=False)

    assert receivers() == {"carol@example.org"}


def test_an_owner_who_linked_hears_once(organization, alice):
    (site,) = many.links(organization, alice)
    events.record(
        Kind.LINKED,
        grant=site.grant,
        organization=organization,
        site="Wiki",
        linked_site=site.public_id,
    )

    assert sent() == [("alice@example.org", "Wiki is linked")]


def test_the_accounts_owner_and_admins_hear_of_a_dead_grant(dead, amy, bob):
    assert sent() == [
        (
            "alice@example.org",
            "Alice and Co: a linked site needs carol@example.org",
        ),
        ("amy@example.org", "Alice and Co: a linked site needs carol@example.org"),
        ("carol@example.org", "Your Confluence link needs you"),
    ]


def test_admins_hear_nothing_of_the_end_of_a_site_that_is_kept(dead, amy):
    LinkedSite.objects.update(shared=False)

    assert receivers() == {"carol@example.org"}


def test_t03_each_organization_hears_of_its_own_sites_alone(
    dead, site, carol, bob, other_organization, organization
):
    many.links(
        other_organization, carol, site={"grant": site.grant, "name": "Secret garden"}
    )

    assert receivers() == {"alice@example.org", "bob@example.org", "carol@example.org"}
    texts = {message.to[0]: str(message.message()) for message in mail.outbox}
    assert "Secret garden" not in texts["alice@example.org"]
    assert other_organization.name not in texts["alice@example.org"]
    assert "Wiki" not in texts["bob@example.org"]
    assert len(mail.outbox) == 3


def test_nobody_hears_of_what_was_repaired_meanwhile(dead):
    Grant.objects.update(status=Grant.Status.ACTIVE)

    assert sent() == []


def test_who_is_asked_to_take_a_site_over_hears_of_it(asked):
    assert sent() == [("carol@example.org", "Orphan needs an account of yours")]
    assert "alice@example.org asks you" in mail.outbox[0].body


def test_nobody_is_asked_for_what_somebody_else_does_now(asked, alice):
    VacantSite.objects.update(adopter=alice)

    assert sent() == []


def test_who_was_removed_hears_of_it(organization, alice, carol):
    membership(carol, organization).delete()
    Event.objects.all().delete()
    events.record(
        Kind.MEMBER_REMOVED, organization=organization, actor=alice, who=carol.email
    )

    assert sent() == [("carol@example.org", "You are no longer in Alice and Co")]


def test_who_came_back_meanwhile_is_not_told_to_be_gone(organization, alice, carol):
    events.record(
        Kind.MEMBER_REMOVED, organization=organization, actor=alice, who=carol.email
    )

    assert sent() == []


def test_operators_and_admins_hear_of_a_server_of_their_own(server, amy, carol):
    factories.make_user("Ada", is_staff=True, is_superuser=True)
    events.record(Kind.CONFIGURATION_REFUSED, oauth_app=server, error="invalid_client")

    assert sent() == [
        ("ada@example.org", "Server: the OAuth app is refused"),
        ("alice@example.org", "Server refuses the settings of this service"),
        ("amy@example.org", "Server refuses the settings of this service"),
    ]


def test_operators_hear_that_accounts_are_not_reported(unreported, alice):
    factories.make_user("Ada", is_staff=True, is_superuser=True)

    assert sent() == [
        ("ada@example.org", "Cloud: accounts are not reported to Atlassian")
    ]


def test_operators_hear_nothing_of_what_is_reported_meanwhile(unreported):
    factories.make_user("Ada", is_staff=True, is_superuser=True)
    type(unreported).objects.update(reporting_refused_at=None)

    assert sent() == []


def test_who_may_revoke_a_key_hears_that_it_stood_in_an_address(
    exposed, amy, carol, bob, other_organization
):
    subject = "The key “Search” was seen in an address"

    assert sent() == [("alice@example.org", subject), ("amy@example.org", subject)]
    assert exposed.prefix not in str(mail.outbox[0].message())


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
def test_nobody_hears_of_a_key_that_has_ended(exposed, ended):
    at = database_now() - timedelta(days=1)
    ServiceKey.objects.update(**{ended: at})

    assert sent() == []


# --- nobody who may not know (T19) --------------------------------------------------


def leaves(user, organization):
    membership(user, organization).delete()


def is_deactivated(user, organization):
    user.is_active = False
    user.save()


def is_deleted(user, organization):
    user.delete()


def is_switched_off(user, organization):
    organization.is_active = False
    organization.save()


ENDS = pytest.mark.parametrize(
    "end", [leaves, is_deactivated, is_deleted, is_switched_off]
)


@ENDS
@pytest.mark.parametrize("event", ["linked", "dead", "asked"])
def test_t19_who_is_gone_hears_nothing_that_was_pending(
    request, organization, carol, event, end
):
    request.getfixturevalue(event)
    Event.objects.filter(kind=Kind.MEMBER_REMOVED).delete()
    end(carol, organization)
    Event.objects.filter(kind=Kind.MEMBER_REMOVED).update(notice="")

    assert "carol@example.org" not in receivers()


@ENDS
@pytest.mark.parametrize("event", ["linked", "dead", "exposed"])
def test_t19_an_admin_who_is_gone_hears_nothing_that_was_pending(
    request, organization, event, end
):
    owner = factories.make_user("Olga")
    Membership.objects.create(organization=organization, user=owner, role="owner")
    request.getfixturevalue(event)
    end(owner, organization)
    Event.objects.filter(kind=Kind.MEMBER_REMOVED).update(notice="")

    assert "olga@example.org" not in receivers()


@pytest.mark.parametrize("event", ["linked", "dead", "exposed"])
def test_t19_who_lost_the_right_hears_nothing_that_was_pending(
    request, organization, event
):
    owner = factories.make_user("Olga")
    mine = Membership.objects.create(
        organization=organization, user=owner, role="owner"
    )
    request.getfixturevalue(event)
    mine.role = "member"
    mine.save()

    assert "olga@example.org" not in receivers()


def test_t19_an_admin_who_lost_the_right_hears_nothing_of_a_server(
    server, amy, organization
):
    events.record(Kind.CONFIGURATION_REFUSED, oauth_app=server, error="invalid_client")
    Membership.objects.filter(user=amy).update(role="member")

    assert receivers() == {"alice@example.org"}


# --- words ------------------------------------------------------------------------


@pytest.fixture
def every_mail(request, organization, alice, carol, server, amy, site, settings):
    """One of each, with hostile names wherever names are."""
    settings.PUBLIC_URL = "https://link.example.org"
    factories.make_user("Ada", is_staff=True, is_superuser=True)
    for name in ("linked", "dead", "asked", "exposed", "unreported"):
        request.getfixturevalue(name)
    dave = factories.make_user("Dave")
    events.record(
        Kind.MEMBER_REMOVED, organization=organization, actor=alice, who=dave.email
    )
    for kind in (Kind.CONFIGURATION_REFUSED, Kind.MASS_REFUSAL):
        events.record(kind, oauth_app=server, error=HOSTILE, suspects=7)
    for rows, fields in (
        (type(organization).objects, ("name",)),
        (LinkedSite.objects, ("name",)),
        (VacantSite.objects, ("name",)),
        (Grant.objects, ("account_name",)),
        (type(server).objects, ("name",)),
    ):
        rows.update(**dict.fromkeys(fields, HOSTILE[:100]))
    for event in Event.objects.filter(facts__site__isnull=False):
        Event.objects.filter(pk=event.pk).update(facts={**event.facts, "site": HOSTILE})
    for event in Event.objects.filter(kind=Kind.KEY_EXPOSED):
        Event.objects.filter(pk=event.pk).update(facts={**event.facts, "name": HOSTILE})
    notices.send_pending()
    return mail.outbox


def test_t10_no_name_begins_a_header_runs_or_stays_markup(every_mail):
    assert len(every_mail) >= 12
    for message in every_mail:
        assert "Bcc" not in message.message()
        assert "\n" not in message.subject
        assert "1555554" not in message.subject + message.body
        assert message.recipients() == message.to
        ((html, kind),) = message.alternatives
        assert kind == "text/html"
        assert "<script>alert" not in html
        assert "\u202e" not in message.subject + message.body + html


def test_text_and_html_lead_to_the_same_address_of_ours(every_mail):
    for message in every_mail:
        ((html, _),) = message.alternatives
        (address,) = set(re.findall(r'href="([^"]+)"', html))
        assert address.startswith("https://link.example.org/")
        assert address in message.body


def test_no_mail_has_a_template_left_in_it(every_mail):
    for message in every_mail:
        ((html, _),) = message.alternatives
        text = message.body.replace("{{ 777777|add:777777 }}", "")
        assert "{{" not in text
        assert "{%" not in text + html
        assert "None" not in text
