"""Nothing of another organization: in lists, counts, exports, answers or counters."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import service_keys
from accounts.models import Invitation, Membership, Organization, ServiceKey, User
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    LinkInvitation,
    OAuthApp,
    ServerSetup,
    VacantSite,
    database_now,
)
from confluence_link.views.link_invitations import TO_ONE_PER_HOUR
from tests import factories, link_steps, many
from tests.routes.addresses import all_routes


def furnish(organization, owner, word, *, pk=None):
    """One row of each kind, called `word`; `pk` counts their keys up from there."""
    keys = itertools.count(pk) if pk else itertools.repeat(None)
    now = database_now()
    soon = now + timedelta(hours=1)
    sent = {"organization": organization, "invited_by": owner}
    sent |= {"created_at": now, "expires_at": soon}
    member = User.objects.create(pk=next(keys), email=f"{word}-member@example.org")
    Membership.objects.create(
        pk=next(keys), organization=organization, user=member, role="admin"
    )
    app = OAuthApp.objects.create(
        pk=next(keys),
        organization=organization,
        provider_id=f"{word}-server",
        name=f"{word} server",
        base_url=f"https://{word}.example.org",
        deployment="data_center",
        client_id=f"{word}-client",
    )
    grant = Grant.objects.create(
        pk=next(keys),
        oauth_app=app,
        user=member,
        account_id=f"{word}-account",
        account_name=f"{word} account",
        expires_at=soon,
        refresh_at=soon,
        consented_at=now,
        last_rotated_at=now,
        status="reconnect_needed",
    )
    site = {"site_id": f"{word}-site", "url": f"https://{word}.example.org"}
    linked_site = LinkedSite.objects.create(
        pk=next(keys),
        organization=organization,
        grant=grant,
        name=f"{word} site",
        linked_by=member,
        **site,
    )
    vacant = VacantSite.objects.create(
        pk=next(keys),
        public_id=f"{word}-vacant",
        organization=organization,
        oauth_app=app,
        name=f"{word} vacant",
        vacated_at=now,
        **site,
    )
    Invitation.objects.create(
        pk=next(keys),
        email=f"{word}-invited@example.org",
        role="member",
        token_hash=f"{word}1",
        **sent,
    )
    link_invitation = LinkInvitation.objects.create(
        pk=next(keys),
        user=member,
        oauth_app=app,
        vacant_site=vacant,
        token_hash=f"{word}2",
        **sent,
    )
    ServerSetup.objects.create(
        pk=next(keys),
        oauth_app=app,
        email=f"{word}-admin@example.org",
        token_hash=f"{word}3",
        **sent,
    )
    key = ServiceKey.objects.create(
        pk=next(keys),
        organization=organization,
        name=f"{word} key",
        prefix=f"{word}",
        key_hash="0",
        created_by=member,
        created_at=now,
    )
    for kind in (Event.Kind.LINKED, Event.Kind.RECONNECT_NEEDED, Event.Kind.KEY_MADE):
        Event.objects.create(
            pk=next(keys),
            at=now,
            kind=kind,
            organization=organization,
            actor=member,
            grant=grant,
            oauth_app=app,
            facts={"site": f"{word} site", "name": f"{word} key", "prefix": word},
        )
    return {
        "member": member,
        "app": app,
        "linked_site": linked_site,
        "vacant_site": vacant,
        "link_invitation": link_invitation,
        "key": key,
    }


def crawl(client, organization):
    """Every page of the organization that its own pages lead to, by address."""
    root = f"/o/{organization.slug}/"
    plain = [
        reverse(name, args=[organization.slug])
        for name, pattern in all_routes()
        if pattern.startswith("o/") and pattern.count("<") == 1
    ]
    waiting, pages = [root, *plain], {}
    while waiting:
        url = waiting.pop()
        if url in pages:
            continue
        answer = client.get(url)
        text = answer.content.decode() if answer.status_code < 500 else ""
        pages[url] = _without_chance(text)
        found = re.findall(r'(?:href|action)="([^"#]+)"', text)
        waiting += [each for each in found if each.startswith(root)]
    return pages


def _without_chance(text):
    text = re.sub(r'(csrfmiddlewaretoken" value=")[^"]+', r"\1", text)
    return re.sub(r"<time.*?</time>", "", text, flags=re.S)


# T02, T03
# ------------------------------------------------------------------------------
def test_t03_nothing_of_another_organization_changes_a_page(
    alice, alice_client, bob, organization, other_organization
):
    furnish(organization, alice, "ours")
    crawl(alice_client, organization)
    before = crawl(alice_client, organization)
    assert len(before) > 15
    made = [furnish(other_organization, bob, f"theirs{n}") for n in range(3)]
    many.links(other_organization, bob, 40, app=made[0]["app"])
    after = crawl(alice_client, organization)
    assert set(before) == set(after)
    for url, page in before.items():
        assert page == after[url], url
        assert "theirs0" not in page


@pytest.mark.parametrize("asked", ["theirs", "bob@example.org", "site"])
def test_t03_no_search_of_the_record_finds_anothers(
    alice, alice_client, bob, organization, other_organization, asked
):
    furnish(organization, alice, "ours")
    furnish(other_organization, bob, "theirs")
    for name in ("audit_log", "audit_log_csv"):
        url = reverse(f"confluence_link:{name}", args=[organization.slug])
        for field in ("site", "person"):
            answer = alice_client.get(url, {field: asked})
            text = answer.content.decode().replace(f'value="{asked}"', "")
            assert "theirs site" not in text
            assert "theirs-member" not in text


def test_t03_a_key_lists_its_own_organization(
    alice, bob, client, organization, other_organization
):
    furnish(other_organization, bob, "theirs")
    furnish(organization, alice, "ours")
    _, key = service_keys.make(
        organization=organization,
        name="Search",
        scopes=["sites:read"],
        expires_at=None,
        actor=alice,
        now=timezone.now(),
    )
    headers = {"Authorization": f"Bearer {key}"}
    answer = client.get("/api/v1/linked-sites", headers=headers)
    assert [each["name"] for each in answer.json()["items"]] == ["ours site"]
    assert "theirs" not in answer.content.decode()


@pytest.fixture
def ours(alice, organization):
    return furnish(organization, alice, "ours")


@pytest.fixture
def theirs(bob, other_organization):
    return furnish(other_organization, bob, "theirs")


@pytest.mark.parametrize(
    ("field", "of_theirs", "of_nobody"),
    [
        ("person", "theirs-member@example.org", "nobodys-member@example.org"),
        ("app", "theirs-server", "nobodys-server"),
        ("site", "theirs-vacant", "nobodys-vacant"),
    ],
)
def test_t02_a_foreign_name_in_a_form_is_as_unknown_as_a_made_up_one(
    alice_client, organization, ours, theirs, field, of_theirs, of_nobody
):
    url = reverse("confluence_link:link_invitations", args=[organization.slug])
    own = {"person": ours["member"].email, "app": "ours-server", "site": "ours-vacant"}
    pages = []
    for value in (of_theirs, of_nobody):
        answer = alice_client.post(url, {**own, field: value})
        assert answer.status_code == 200
        pages.append(_without_chance(answer.content.decode().replace(value, "…")))
    assert pages[0] == pages[1]
    assert not mail.outbox
    assert LinkInvitation.objects.filter(organization=organization).count() == 1


@pytest.mark.parametrize("field", ["organization", "reconnect"])
def test_t02_a_foreign_id_in_a_query_is_not_there(
    alice_client, cloud_app, organization, other_organization, theirs, field
):
    ids = {
        "organization": other_organization.slug,
        "reconnect": theirs["linked_site"].public_id,
    }
    pages = []
    for value in (ids[field], "made-up"):
        query = {"organization": organization.slug, field: value}
        answer = alice_client.get(link_steps.start_url("cloud"), query)
        assert answer.status_code == 404
        pages.append(answer.content)
    assert pages[0] == pages[1]


def test_t02_of_own_and_foreign_sites_together_nothing_is_linked(
    alice_client, cloud_app, organization, sandbox, theirs
):
    came_back = link_steps.consented_to_cloud(
        alice_client, sandbox, organization=organization
    )
    own, pages = link_steps.cloud_id("northwind"), []
    for other in (theirs["linked_site"].site_id, "made-up"):
        answer = alice_client.post(came_back["Location"], {"sites": [own, other]})
        assert answer.status_code == 200
        pages.append(_without_chance(answer.content.decode()))
    assert pages[0] == pages[1]
    assert not LinkedSite.objects.filter(organization=organization).exists()


def test_t02_a_foreign_object_below_the_own_organization_is_not_there(
    alice_client, organization, ours, theirs
):
    routes = {
        "confluence_link:share": "linked_site",
        "confluence_link:unlink": "linked_site",
        "confluence_link:ask_to_reconnect": "linked_site",
        "confluence_link:revoke_link_invitation": "link_invitation",
        "accounts:revoke_key": "key",
    }
    for name, kind in routes.items():
        url = reverse(name, args=[organization.slug, theirs[kind].public_id])
        none = reverse(name, args=[organization.slug, "made-up"])
        answer, missing = alice_client.post(url), alice_client.post(none)
        assert (answer.status_code, missing.status_code) == (404, 404), name
        assert answer.content == missing.content, name


# T04: public ids
# ------------------------------------------------------------------------------
# No other number on a page begins so.
PK = 7_654_321_000


@pytest.fixture
def numbered(db):
    """An owner and an organization whose rows all have a key that can be seen."""
    owner = User.objects.create(pk=PK + 900, email="owner@example.org")
    organization = Organization.objects.create(pk=PK + 901, name="Ours", slug="ours")
    Membership.objects.create(
        pk=PK + 902, organization=organization, user=owner, role="owner"
    )
    furnish(organization, owner, "ours", pk=PK)
    return organization, owner


def test_t04_no_page_shows_the_key_of_a_row(numbered):
    organization, owner = numbered
    client = factories.sign_in(Client(), owner)
    pages = crawl(client, organization)
    assert len(pages) > 15
    for url, page in pages.items():
        assert "7654321" not in url
        assert "7654321" not in page, url


def test_t04_no_answer_of_the_api_shows_the_key_of_a_row(numbered, client):
    organization, owner = numbered
    _, key = service_keys.make(
        organization=organization,
        name="Search",
        scopes=list(service_keys.SCOPES),
        expires_at=None,
        actor=owner,
        now=timezone.now(),
    )
    site = LinkedSite.objects.get()
    asked = {"content_type": "application/json"}
    headers = {"Authorization": f"Bearer {key}"}
    for answer in (
        client.get("/api/v1/linked-sites", headers=headers),
        client.get(f"/api/v1/linked-sites/{site.public_id}", headers=headers),
        client.get(f"/api/v1/linked-sites/{site.pk}", headers=headers),
        client.post(
            f"/api/v1/linked-sites/{site.public_id}/token", headers=headers, **asked
        ),
    ):
        assert "7654321" not in answer.content.decode()


def test_t04_no_address_outside_the_admin_takes_a_number():
    numbers = {
        pattern
        for name, pattern in all_routes()
        if not name.startswith("admin:") and "<int:" in pattern
    }
    # A person's own second factors, by allauth, which asks whose they are.
    assert all("2fa/webauthn/keys" in pattern for pattern in numbers)


@pytest.mark.parametrize(
    "model", [Grant, Invitation, LinkedSite, LinkInvitation, Membership, ServiceKey]
)
def test_t04_public_ids_are_random(model):
    field = model._meta.get_field("public_id")
    made = {field.get_default() for _ in range(1000)}
    assert len(made) == 1000
    assert min(map(len, made)) >= 16
    assert field.unique or _is_unique_by_constraint(model)


def _is_unique_by_constraint(model):
    constraints = model._meta.total_unique_constraints
    return any(each.fields == ("public_id",) for each in constraints)


# T14: what is shared between requests
# ------------------------------------------------------------------------------
def test_t14_what_one_organization_used_up_another_still_has(
    alice, alice_client, carol, bob, bob_client, cloud_app
):
    ours = factories.make_organization("One", owner=alice, member=carol)
    theirs = factories.make_organization("Two", owner=bob, member=carol)
    form = {"person": carol.email, "app": "cloud"}
    for client, organization in ((alice_client, ours), (bob_client, theirs)):
        url = reverse("confluence_link:link_invitations", args=[organization.slug])
        for _ in range(TO_ONE_PER_HOUR + 1):
            client.post(url, form)
    assert len(mail.outbox) == 2 * TO_ONE_PER_HOUR


def test_t14_no_page_is_kept_in_the_shared_cache(
    alice, alice_client, organization, ours
):
    assert not any("cache" in each.lower() for each in settings.MIDDLEWARE)
    crawl(alice_client, organization)
    # Counters alone, under hashes of what they count.
    for name, value in cache._cache.items():
        assert re.search(r":(rate:[a-z_]+:[0-9a-f]{64}|allauth)", name), name
        assert organization.slug.encode() not in value


def test_t14_no_page_may_be_kept_by_a_cache_on_the_way(
    alice_client, organization, ours
):
    for url in crawl(alice_client, organization):
        answer = alice_client.get(url)
        if answer.status_code == 200:
            kept_apart = "Cookie" in answer.get("Vary", "")
            assert kept_apart or "no-store" in answer.get("Cache-Control", ""), url
