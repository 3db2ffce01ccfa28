"""One's own data: all of it, and nothing that opens a door; then the end of it."""

from __future__ import annotations

import json

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import invitations
from accounts.models import Membership, Organization, ServiceKey, User
from confluence_link.models import Grant, SealedTokenSet, database_now
from confluence_link.views.own_data import BY_ADDRESS, COLUMNS
from tests import factories, grants

SECRET_NAMES = ("token", "hash", "secret", "sealed", "password", "session", "prefix")
EXPORT, DELETE = "/me/export/", "/me/delete/"


def _paths_to_a_person():
    for relation in User._meta.get_fields(include_hidden=True):
        is_to_one = relation.auto_created and (
            relation.one_to_many or relation.one_to_one
        )
        if is_to_one:
            model = relation.related_model
            yield f"{model._meta.label}.{relation.field.name}"


def test_every_way_from_a_row_to_a_person_is_told():
    missing = set(_paths_to_a_person()) - set(COLUMNS)
    assert not missing


def test_no_column_that_is_told_opens_a_door():
    lists = (*COLUMNS.values(), *BY_ADDRESS.values())
    told = [name for columns in lists for name in columns]
    assert not [name for name in told if any(each in name for each in SECRET_NAMES)]


def _export(client):
    answer = client.get(EXPORT)
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert "no-store" in answer["Cache-Control"]
    return json.loads(answer.content)


def test_the_file_has_what_is_stored(cloud_site, alice_client, alice):
    data = _export(alice_client)
    assert data["person"]["email"] == alice.email
    assert data["confluence_link.Grant.user"][0]["account_name"] == "Alice Adams"
    (site,) = data["confluence_link.LinkedSite.grant__user"]
    assert site["organization__name"] == "Alice and Co"
    kinds = [each["kind"] for each in data["confluence_link.Event.actor"]]
    assert "site.linked" in kinds


def test_the_file_has_no_token_and_no_password(cloud_site, alice_client, alice):
    ServiceKey.objects.create(
        organization=cloud_site.organization,
        name="k",
        prefix="clk_prefix",
        key_hash="f" * 64,
        created_by=alice,
        created_at=database_now(),
    )
    text = alice_client.get(EXPORT).content.decode()
    for token in (*grants.tokens(cloud_site.grant), "CNRY", "f" * 64, "clk_prefix"):
        assert token not in text
    assert alice.password not in text
    assert alice_client.session.session_key not in text


def test_the_file_has_nothing_of_others(cloud_site, carol_client):
    data = _export(carol_client)
    assert data["confluence_link.Grant.user"] == []
    assert "Alice Adams" not in json.dumps(data)


def _invite(organization, actor, address):
    now = timezone.now()
    invitations.invite(
        organization=organization, email=address, role="member", actor=actor, now=now
    )


def test_the_file_has_what_others_did_about_them(
    other_organization, bob, carol, carol_client
):
    _invite(other_organization, bob, carol.email)
    data = _export(carol_client)
    (invitation,) = data["accounts.Invitation.email"]
    assert invitation["organization__name"] == "Bob and Co"
    (event,) = data["confluence_link.Event.facts__who"]
    assert event["kind"] == "member.invited"
    assert bob.email not in json.dumps(data)


def test_an_address_that_is_not_proved_tells_nothing(
    other_organization, bob, carol, carol_client
):
    EmailAddress.objects.create(user=carol, email="else@example.org", verified=False)
    _invite(other_organization, bob, "else@example.org")
    assert "Bob and Co" not in json.dumps(_export(carol_client))


def test_the_page_leads_to_both(alice_client):
    page = alice_client.get("/me/").content.decode()
    assert EXPORT in page
    assert DELETE in page


@pytest.mark.parametrize("url", [EXPORT, DELETE])
def test_both_want_a_recent_sign_in(alice, url):
    client = factories.sign_in(Client(), alice, seconds_ago=3600)
    assert "reauthenticate" in client.get(url).url


# Deleting
# ------------------------------------------------------------------------------
def test_an_account_is_deleted_by_who_types_its_address(
    sandbox, cloud_app, carol_client, carol, organization
):
    grants.link_cloud(sandbox, cloud_app, user=carol, organization=organization)
    page = carol_client.get(DELETE).content.decode()
    assert "You leave Alice and Co" in page
    answer = carol_client.post(DELETE, {"name": "Carol@example.org"})
    assert answer.url == reverse("home")
    assert not User.objects.filter(pk=carol.pk).exists()
    assert not Grant.objects.exists()
    assert not SealedTokenSet.objects.exists()


def test_the_sessions_end_with_the_account(carol_client, carol, organization):
    second = factories.sign_in(Client(), carol)
    second.get("/me/")
    carol_client.post(DELETE, {"name": carol.email})
    for client in (carol_client, second):
        assert client.get("/me/").status_code == 302
    assert not second.session.exists(second.cookies["sessionid"].value)


def test_an_account_is_not_deleted_by_mistake(carol_client, carol, organization):
    page = carol_client.post(DELETE, {"name": "carol"})
    assert "This is not what stands above" in page.content.decode()
    assert User.objects.filter(pk=carol.pk).exists()


def test_what_is_deleted_along_is_said_before(carol_client, carol, organization):
    factories.make_organization("Carol alone", owner=carol)
    page = carol_client.get(DELETE).content.decode()
    assert "Carol alone is deleted" in page
    carol_client.post(DELETE, {"name": carol.email})
    assert Organization.objects.get() == organization


def test_the_only_owner_of_others_is_refused_with_words(
    alice_client, alice, organization
):
    for page in (
        alice_client.get(DELETE),
        alice_client.post(DELETE, {"name": alice.email}),
    ):
        words = page.content.decode()
        assert "nobody but you owns" in words
        assert reverse("accounts:members", args=[organization.slug]) in words
    assert User.objects.filter(pk=alice.pk).exists()
    assert Membership.objects.filter(user=alice).exists()
