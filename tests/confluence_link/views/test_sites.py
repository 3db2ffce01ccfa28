"""The list of linked sites, and one site with its spaces."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from confluence_link import linking
from confluence_link.models import (
    Grant,
    LinkedSite,
    OAuthAppHealth,
    PendingLink,
    database_now,
)
from tests import factories, grants
from tests.confluence_link.views.addresses import sites_url, url


def linked_sites(client, organization, **query):
    response = client.get(sites_url(organization), query)
    assert response.status_code == 200
    return response.content.decode()


def text_of(html):
    """The words of a page, as a reader sees them."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def make_sites(count, *, app, user, organization, name="Site", **fields):
    now = database_now()
    defaults = {
        "expires_at": now + timedelta(hours=1),
        "refresh_at": now + timedelta(minutes=50),
        "consented_at": now - timedelta(days=10),
        "last_rotated_at": now - timedelta(minutes=4),
        "account_name": "Alice Adams",
    }
    site_fields = {
        field: fields.pop(field) for field in ("status_of_site",) if field in fields
    }
    sites = []
    for number in range(count):
        grant = Grant.objects.create(
            oauth_app=app,
            user=user,
            account_id=f"{name}-{number}",
            **{**defaults, **fields},
        )
        sites.append(
            LinkedSite.objects.create(
                organization=organization,
                grant=grant,
                site_id=f"{name}-{number}",
                name=f"{name} {number:02}",
                url="https://northwind.atlassian.net",
                linked_by=user,
                scopes=["read:page:confluence"],
                status=site_fields.get("status_of_site", "linked"),
            )
        )
    return sites


@pytest.fixture
def app(db):
    return factories.make_oauth_app(provider_id="cloud", name="Confluence Cloud")


@pytest.fixture
def make(app, alice, organization):
    def make(count=1, **fields):
        people = {"user": alice, "organization": organization}
        return make_sites(count, app=app, **{**people, **fields})

    return make


# --- the list -----------------------------------------------------------------


def test_an_empty_list_says_what_to_do_first(alice_client, organization, app):
    html = linked_sites(alice_client, organization)
    assert "No site is linked yet" in html
    assert "Link Confluence Cloud" in text_of(html)
    assert f"/login/?organization={organization.slug}" in html


def test_without_any_app_members_are_sent_to_the_operator(carol_client, organization):
    assert "has to set up Confluence" in linked_sites(carol_client, organization)


def test_without_any_app_admins_are_sent_to_their_servers(alice_client, organization):
    assert "servers/add/" in linked_sites(alice_client, organization)


def test_without_any_app_an_operator_is_sent_to_the_admin(organization):
    ada = factories.make_user("Ada", is_staff=True, is_superuser=True)
    organization.memberships.create(user=ada, role="admin")
    client = factories.sign_in(Client(), ada)
    assert "/admin/confluence_link/oauthapp/add/" in linked_sites(client, organization)


def test_a_card_names_site_account_and_who_linked_it(
    alice_client, organization, cloud_site
):
    text = text_of(linked_sites(alice_client, organization))
    for words in (
        "Northwind",
        "Alice Adams, Confluence Cloud",
        "alice@example.org",
        "Connected",
        "Last refresh now",
        "Last use not yet",
        "Read pages",
        "read:page:confluence",
    ):
        assert words in text


def test_a_card_tells_the_consents_last_day_and_no_tokens_hour(
    alice_client, organization, cloud_site
):
    last_day = cloud_site.grant.consented_at + timedelta(days=365)
    text = text_of(linked_sites(alice_client, organization))
    assert f"on {last_day.day} {last_day:%B %Y}" in text
    assert "expire" not in text.lower()


def test_data_center_promises_no_last_day(alice_client, organization, data_center_site):
    text = text_of(linked_sites(alice_client, organization))
    assert "deletes the application link" in text
    assert "days after the consent" not in text


def test_every_app_has_a_link_button(alice_client, organization, make, app):
    factories.make_oauth_app(name="Company wiki", base_url="https://wiki.example.com")
    make(1)
    text = text_of(linked_sites(alice_client, organization))
    assert "Link Confluence Cloud" in text
    assert "Link Company wiki" in text


def test_a_disabled_app_and_a_foreign_one_have_no_button(
    alice_client, organization, other_organization, app
):
    factories.make_oauth_app(name="Switched off", enabled=False)
    factories.make_oauth_app(name="Not ours", organization=other_organization)
    text = text_of(linked_sites(alice_client, organization))
    assert "Switched off" not in text
    assert "Not ours" not in text


def test_another_organizations_sites_are_not_listed(
    bob_client, other_organization, make
):
    make(1, name="Secret garden")
    assert "Secret garden" not in linked_sites(bob_client, other_organization)


def test_a_foreign_organization_is_not_found(bob_client, organization):
    assert bob_client.get(sites_url(organization)).status_code == 404


def test_strangers_are_asked_to_sign_in(organization):
    response = Client().get(sites_url(organization))
    assert response.status_code == 302
    assert "/login/" in response["Location"]


def test_the_list_asks_the_same_for_one_site_and_for_thirty(
    alice_client, organization, make
):
    def count():
        with CaptureQueriesContext(connection) as queries:
            linked_sites(alice_client, organization)
        return len(queries)

    make(1)
    count()  # The session is noted once.
    first = count()
    make(29, name="Other")
    assert count() == first


def test_a_long_list_has_pages(alice_client, organization, make):
    make(31)
    first = linked_sites(alice_client, organization)
    assert "Site 29" in first
    assert "Site 30" not in first
    assert "page=2" in first
    assert "Site 30" in linked_sites(alice_client, organization, page="2")


def test_nonsense_for_a_page_number_is_the_first_page(alice_client, organization, make):
    make(1)
    assert "Site 00" in linked_sites(alice_client, organization, page="x'")


def test_what_needs_somebody_comes_first(alice_client, organization, make):
    make(1, name="Aaa")
    make(1, name="Zzz", status="reconnect_needed", death_reason="revoked")
    html = linked_sites(alice_client, organization)
    assert html.index("Zzz 00") < html.index("Aaa 00")


def test_hostile_names_are_escaped(alice_client, organization, make):
    make(1, name="<script>x</script>", account_name="<img src=x onerror=y>")
    html = linked_sites(alice_client, organization)
    assert "<script>x" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;x" in html


# --- health -------------------------------------------------------------------


def test_a_dead_grant_says_why_and_offers_to_reconnect(
    alice_client, organization, make
):
    (site,) = make(1, status="reconnect_needed", death_reason="absolute_expired")
    html = linked_sites(alice_client, organization)
    assert "Reconnect needed" in html
    assert "has reached its last day" in html
    assert "The access has ended" in html
    assert f"reconnect={site.public_id}" in html


def test_only_the_accounts_owner_is_offered_to_reconnect(
    carol_client, organization, make
):
    make(1, status="reconnect_needed", death_reason="revoked")
    html = linked_sites(carol_client, organization)
    assert "reconnect=" not in html
    assert "Only alice@example.org can reconnect it" in text_of(html).replace("  ", " ")


def test_trouble_needs_nobody(alice_client, organization, make):
    make(1, consecutive_failures=2, last_error="timeout", last_error_at=database_now())
    text = text_of(linked_sites(alice_client, organization))
    assert "Having trouble" in text
    assert "you need not do anything" in text
    assert "Reconnect" not in text


def test_a_refused_refresh_offers_to_reconnect_early(alice_client, organization, make):
    make(1, consecutive_failures=1, refusals=1)
    html = linked_sites(alice_client, organization)
    assert "refused to renew the access" in html
    assert "reconnect=" in html


def test_refused_settings_are_no_fault_of_the_person(
    alice_client, organization, make, app
):
    make(1, consecutive_failures=1)
    OAuthAppHealth.objects.create(
        oauth_app=app, openings=1, configuration_refused_since=database_now()
    )
    html = linked_sites(alice_client, organization)
    assert "Operators have been told" in html


def test_a_lost_site_says_how_it_comes_back(alice_client, organization, make):
    make(1, status_of_site="lost")
    html = linked_sites(alice_client, organization)
    assert "No longer reachable" in html
    assert "no longer reaches this site" in html


def test_a_member_sees_no_way_to_unlink_what_is_not_theirs(
    carol_client, alice_client, organization, make
):
    (site,) = make(1)
    address = url("unlink", site)
    assert address not in linked_sites(carol_client, organization)
    assert address in linked_sites(alice_client, organization)


# --- before and beside linking ------------------------------------------------


def pend(app, user, organization, client, **fields):
    return PendingLink.objects.create(
        oauth_app=app,
        user=user,
        organization=organization,
        session_hash=linking.digest(client.session.session_key),
        account_id="712020:x",
        account_name="Alice Adams",
        sealed_token_set=b"sealed",
        expires_in_seconds=3600,
        **{"created_at": database_now(), **fields},
    )


def test_a_link_that_waits_is_announced(alice, alice_client, organization, app):
    pending = pend(app, alice, organization, alice_client)
    assert f"/link/pending/{pending.public_id}/" in linked_sites(
        alice_client, organization
    )


def test_a_link_that_waited_too_long_is_not_announced(
    alice, alice_client, organization, app
):
    long_ago = database_now() - timedelta(minutes=16)
    pend(app, alice, organization, alice_client, created_at=long_ago)
    assert "/link/pending/" not in linked_sites(alice_client, organization)


def test_a_link_of_another_browser_is_not_announced(
    alice, alice_client, organization, app
):
    pend(app, alice, organization, alice_client)
    other_browser = factories.sign_in(Client(), alice)
    assert "/link/pending/" not in linked_sites(other_browser, organization)


def test_what_never_comes_back_is_explained(alice_client, organization, app):
    html = linked_sites(alice_client, organization)
    assert "Your site admin must authorize this app" in html
    assert "App is blocked by an admin" in html


def test_only_operators_see_what_to_register(alice_client, organization, app):
    ada = factories.make_user("Ada", is_staff=True)
    organization.memberships.create(user=ada, role="member")
    html = linked_sites(factories.sign_in(Client(), ada), organization)
    assert app.redirect_uri in html
    assert app.redirect_uri not in linked_sites(alice_client, organization)


# --- one site -----------------------------------------------------------------


def test_a_site_lists_its_spaces_page_by_page(alice_client, cloud_site):
    first = alice_client.get(url("linked_site", cloud_site)).content.decode()
    assert "/spaces/TEAM/" in first
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = alice_client.get(following[1].replace("&amp;", "&")).content.decode()
    assert "/spaces/TEAM/" not in second
    assert "Back to the start" in second


def test_a_data_center_lists_its_spaces(alice_client, data_center_site):
    response = alice_client.get(url("linked_site", data_center_site))
    assert response.status_code == 200
    assert "/spaces/TEAM/" in response.content.decode()


def test_a_sites_page_tells_its_facts(alice_client, cloud_site):
    text = text_of(alice_client.get(url("linked_site", cloud_site)).content.decode())
    for words in ("Alice and Co", "Alice Adams", "How long it lasts", "Unlink"):
        assert words in text


def test_a_site_of_another_organization_is_not_found(
    bob_client, other_organization, cloud_site
):
    own = url("linked_site", cloud_site)
    foreign = own.replace(cloud_site.organization.slug, other_organization.slug)
    assert bob_client.get(own).status_code == 404
    assert bob_client.get(foreign).status_code == 404


def test_a_site_is_read_only_to_browsers(alice_client, cloud_site):
    assert alice_client.post(url("linked_site", cloud_site)).status_code == 405


def test_while_confluence_is_down_the_page_stands(alice_client, cloud_site, sandbox):
    sandbox.cloud.faults.add("api", "server_error")
    response = alice_client.get(url("linked_site", cloud_site))
    assert response.status_code == 502
    text = text_of(response.content.decode())
    assert "Confluence has trouble" in text
    assert "About this link" in text
    assert "Oops" not in text


def test_a_busy_confluence_says_when_to_come_back(alice_client, cloud_site, sandbox):
    sandbox.cloud.faults.add("api", "rate_limited", retry_after="600")
    response = alice_client.get(url("linked_site", cloud_site))
    assert response.status_code == 503
    assert response["Retry-After"] == "600"
    assert "Too many requests" in response.content.decode()


def test_nobody_waits_long_for_a_busy_confluence(alice_client, cloud_site, sandbox):
    sandbox.cloud.faults.add("api", "rate_limited", retry_after="15")
    response = alice_client.get(url("linked_site", cloud_site))
    assert response.status_code == 503
    assert sandbox.cloud.statistics["request.api"] == 1


def test_a_dead_grant_is_a_calm_page_with_one_button(alice_client, cloud_site):
    Grant.objects.update(status="reconnect_needed", death_reason="revoked")
    response = alice_client.get(url("linked_site", cloud_site))
    assert response.status_code == 200
    html = response.content.decode()
    assert "the app was removed there" in html
    assert html.count(f"reconnect={cloud_site.public_id}") == 1


def test_a_missing_key_is_the_operators_business(alice_client, cloud_site, settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = []
    response = alice_client.get(url("linked_site", cloud_site))
    assert response.status_code == 503
    html = response.content.decode()
    assert "you need not link again" in html
    assert "CONFLUENCE_LINK_VAULT_KEYS" not in html


def test_an_access_that_cannot_be_renewed_now_says_so(
    alice_client, cloud_site, sandbox
):
    sandbox.cloud.faults.add("token", "server_error")
    grants.make_due(cloud_site.grant)
    Grant.objects.update(expires_at=database_now() - timedelta(minutes=1))
    response = alice_client.get(url("linked_site", cloud_site))
    assert response.status_code == 503
    assert int(response["Retry-After"]) >= 5
    assert "No access at this moment" in response.content.decode()


def test_an_icon_that_does_not_load_leaves_the_first_letter(
    alice_client, organization, cloud_site
):
    """The style sheet draws it; only images that failed have a part for it."""
    html = alice_client.get(sites_url(organization)).content.decode()

    assert f'src="{cloud_site.icon_url}" alt="" data-letter="N"' in html


def test_a_card_of_what_ends_soon_says_when_and_offers_to_reconnect(
    alice_client, organization, cloud_site
):
    grant = cloud_site.grant
    before = linked_sites(alice_client, organization)
    assert "The access ends on" not in text_of(before)
    grant.consented_at -= timedelta(days=340)
    grant.save()
    page = linked_sites(alice_client, organization)
    last_day = grant.consented_at + timedelta(days=365)
    assert f"The access ends on {last_day.day} {last_day:%B %Y}" in text_of(page)
    assert f"reconnect={cloud_site.public_id}" in page


def test_a_card_of_what_cannot_be_renewed_says_until_when(
    alice_client, organization, data_center_site
):
    grant = data_center_site.grant
    grant.last_error, grant.consecutive_failures = "timeout", 3
    grant.last_rotated_at -= timedelta(days=20)
    grant.save()
    last_day = grant.last_rotated_at + timedelta(days=90)
    text = text_of(linked_sites(alice_client, organization))
    words = f"If renewing keeps failing, it ends on {last_day.day} {last_day:%B %Y}"
    assert words in text


def test_a_consent_that_outlived_its_last_day_promises_none(
    alice_client, organization, cloud_site
):
    grant = cloud_site.grant
    grant.consented_at -= timedelta(days=400)
    grant.save()
    text = text_of(linked_sites(alice_client, organization))
    assert "days after the consent" not in text
    assert "The access ends on" not in text
