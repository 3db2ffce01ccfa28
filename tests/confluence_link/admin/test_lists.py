"""Lists: their filters, their searches, their cost, and hostile names in them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from confluence_link import events
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    LinkInvitation,
    OAuthAppHealth,
    ServerSetup,
    VacantSite,
    database_now,
)
from tests import factories

LISTS = (
    "grant",
    "linkedsite",
    "event",
    "oauthapp",
    "vacantsite",
    "linkinvitation",
    "serversetup",
)
HOSTILE = '<script>alert(1)</script>{{7*7}}"\u202e=cmd()'


def url_of(model):
    return reverse(f"admin:confluence_link_{model}_changelist")


def found(client, model, **query):
    return client.get(url_of(model), query).context["cl"].result_list


def record(grant, organization):
    events.record(
        Event.Kind.LINKED, grant=grant, organization=organization, actor=grant.user
    )


def wait(grant, number):
    """A vacant site, and what was mailed to be used once."""
    now = database_now()
    common = {
        "organization": grant.linked_sites.get().organization,
        "oauth_app": grant.oauth_app,
    }
    vacant = VacantSite.objects.create(
        public_id=f"vacant-{number}",
        site_id="gone",
        name="Orphan",
        url="https://orphan.example.org",
        former=grant.user,
        adopter=grant.user,
        vacated_at=now,
        **common,
    )
    sent = {
        "invited_by": grant.user,
        "created_at": now,
        "expires_at": now,
        "token_hash": f"hash-{number}",
        **common,
    }
    LinkInvitation.objects.create(user=grant.user, vacant_site=vacant, **sent)
    ServerSetup.objects.create(email="erin@example.org", **sent)


@pytest.mark.parametrize("model", LISTS)
def test_more_rows_cost_no_more_queries(
    admin_client, make_grant, organization, other_organization, bob, model
):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(url_of(model)).status_code == 200
        return len(captured)

    def fill(number):
        app = factories.make_oauth_app(base_url=f"https://wiki{number}.example.com")
        OAuthAppHealth.objects.create(oauth_app=app)
        owner = factories.make_user()
        grant = make_grant(factories.make_organization(), user=owner, app=app)
        record(grant, organization)
        wait(grant, number)

    fill(1)
    queries()
    few = queries()
    for number in range(2, 6):
        fill(number)

    assert queries() == few


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status__exact": "active"}, 1),
        ({"status__exact": "reconnect_needed"}, 1),
        ({"last_error": "invalid_grant"}, 1),
        ({"q": "account-2"}, 1),
        ({"q": "Alice and Co"}, 1),
        ({"q": "bob@example.org"}, 1),
        ({"q": "nothing like it"}, 0),
    ],
)
def test_grants_are_found(
    admin_client, make_grant, organization, other_organization, bob, query, count
):
    make_grant(organization)
    make_grant(
        other_organization,
        user=bob,
        status=Grant.Status.RECONNECT_NEEDED,
        last_error="invalid_grant",
    )

    assert len(found(admin_client, "grant", **query)) == count


def test_grants_are_filtered_by_organization_and_app(
    admin_client, make_grant, organization, other_organization
):
    make_grant(organization)
    other = make_grant(
        other_organization, app=factories.make_oauth_app(base_url="https://b.example")
    )

    by_organization = {"linked_sites__organization__id__exact": other_organization.pk}
    by_app = {"oauth_app__id__exact": other.oauth_app_id}

    assert list(found(admin_client, "grant", **by_organization)) == [other]
    assert list(found(admin_client, "grant", **by_app)) == [other]


def test_linked_sites_are_filtered_by_last_error(
    admin_client, make_grant, organization
):
    make_grant(organization)
    broken = make_grant(organization, last_error="timeout")

    sites = found(admin_client, "linkedsite", grant__last_error="timeout")

    assert [site.grant for site in sites] == [broken]


@pytest.mark.parametrize("model", ["grant", "linkedsite", "oauthapp"])
def test_every_choice_of_a_filter_has_words(
    admin_client, make_grant, organization, model
):
    OAuthAppHealth.objects.create(oauth_app=make_grant(organization).oauth_app)
    make_grant(organization, last_error="timeout")

    html = admin_client.get(url_of(model)).content.decode()

    assert re.search(r'<a href="\?\w*last_error=">none</a>', html)
    assert not re.search(r'<a href="\?[^"]*">\s*</a>', html)


def test_events_are_filtered_by_kind_and_day(admin_client, grant, organization):
    record(grant, organization)
    year = Event.objects.get().at.year

    query = {"kind__exact": "site.linked", "at__year": year}

    assert len(found(admin_client, "event", **query)) == 1


def test_hostile_names_are_escaped_everywhere(
    admin_client, grant, organization, waiting
):
    Grant.objects.update(account_name=HOSTILE)
    LinkedSite.objects.update(name=HOSTILE)
    VacantSite.objects.update(name=HOSTILE)
    grant.oauth_app.name = HOSTILE
    grant.oauth_app.save()
    organization.name = HOSTILE
    organization.save()
    events.record(
        Event.Kind.LINKED, grant=grant, organization=organization, site=HOSTILE
    )
    rows = [("grant", grant), ("linkedsite", LinkedSite.objects.get())]
    rows += [("oauthapp", grant.oauth_app), ("event", Event.objects.get())]
    rows += waiting.items()
    pages = [url_of(model) for model in LISTS]
    pages += [
        reverse(f"admin:confluence_link_{model}_change", args=[row.pk])
        for model, row in rows
    ]
    pages.append(
        reverse("admin:confluence_link_oauthapp_delete", args=[grant.oauth_app.pk])
    )

    for url in pages:
        answer = admin_client.get(url)
        assert answer.status_code == 200, url
        assert "<script>alert" not in answer.content.decode(), url
        assert "&lt;script&gt;" in answer.content.decode(), url


def test_grants_show_when_they_end_and_are_filtered_by_it(
    admin_client, make_grant, organization
):
    cloud = factories.make_oauth_app(name="Cloud")
    now = database_now()
    ages = {"Soon": 340, "Later": 10, "Outlived": 400}
    for name, days in ages.items():
        make_grant(
            organization,
            app=cloud,
            account_id=name,
            account_name=name,
            consented_at=now - timedelta(days=days),
        )
    page = admin_client.get(url_of("grant")).content.decode()
    assert f"{now + timedelta(days=25):%Y-%m-%d}" in page
    assert f"{now + timedelta(days=355):%Y-%m-%d}" in page
    page = admin_client.get(url_of("grant"), {"ends": "soon"}).content.decode()
    assert "1 grant" in page
    assert "Soon" in page
