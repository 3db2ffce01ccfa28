"""Alice's organization with one object of each kind, and everybody who may ask."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from accounts import service_keys
from accounts.models import Invitation, Membership, ServiceKey, random_public_id
from confluence_link import linking
from confluence_link.client import ConfluenceClient
from confluence_link.models import (
    Event,
    LinkInvitation,
    ServerSetup,
    VacantSite,
    database_now,
)
from tests import factories, grants

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# What a request writes about itself and about nothing that was asked for.
_OF_THE_REQUEST = {"sessions.Session", "usersessions.UserSession"}


@dataclass
class World:
    """`clients` by who they are; `objects` are the arguments of routes."""

    organization: object
    other_organization: object
    clients: dict[str, Client] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    key_of_b: str = ""

    def url(self, name, route, *, slug=None, unknown=False):
        """Of A's object, or of one that does not exist."""
        objects = [
            random_public_id() if unknown else self.objects[each]
            for each in route.objects
        ]
        return reverse(name, args=[slug or self.organization.slug, *objects])


@pytest.fixture
def world(alice, bob, carol, organization, other_organization, sandbox, cloud_app):
    amy, mallory = factories.make_user("Amy"), factories.make_user("Mallory")
    Membership.objects.create(organization=organization, user=amy, role="admin")
    made = World(organization, other_organization)
    people = {
        "owner": alice,
        "admin": amy,
        "member": carol,
        "other owner": bob,
        "stranger": mallory,
    }
    for who, user in people.items():
        made.clients[who] = factories.sign_in(Client(), user)
    made.clients["anonymous"] = Client()
    made.key_of_b = key_of(other_organization, bob)
    made.objects = objects_of(organization, alice, carol, sandbox, cloud_app, made)
    return made


def key_of(organization, user):
    _, key = service_keys.make(
        organization=organization,
        name="Theirs",
        scopes=list(service_keys.SCOPES),
        expires_at=None,
        actor=user,
        now=database_now(),
    )
    return key


def objects_of(organization, alice, carol, sandbox, cloud_app, made):
    grant = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    now = database_now()
    soon = now + timedelta(hours=1)
    server = factories.make_oauth_app(
        name="Wiki",
        base_url="https://wiki.example.org",
        organization=organization,
        provider_id="dc-alice",
    )
    consent = grants.consent_of(
        sandbox.cloud, cloud_app, account="alice", site="northwind", decision="accept"
    )
    pending = linking.pend(
        consent=consent,
        oauth_app=cloud_app,
        user=alice,
        organization=organization,
        session_key=made.clients["owner"].session.session_key,
    )
    vacant = VacantSite.objects.create(
        public_id=random_public_id(),
        organization=organization,
        oauth_app=cloud_app,
        site_id="gone",
        name="Vacant",
        url="https://vacant.example.org",
        vacated_at=now,
    )
    invitation = Invitation.objects.create(
        organization=organization,
        email="dave@example.org",
        role="member",
        token_hash="1" * 64,
        invited_by=alice,
        created_at=now,
        expires_at=soon,
    )
    link_invitation = LinkInvitation.objects.create(
        organization=organization,
        user=carol,
        oauth_app=cloud_app,
        token_hash="2" * 64,
        invited_by=alice,
        created_at=now,
        expires_at=soon,
    )
    ServerSetup.objects.create(
        organization=organization,
        oauth_app=server,
        email="erin@example.org",
        token_hash="3" * 64,
        invited_by=alice,
        created_at=now,
        expires_at=soon,
    )
    key = ServiceKey.objects.create(
        organization=organization,
        name="Reports",
        prefix="clk_alice",
        key_hash="4" * 64,
        created_by=alice,
        created_at=now,
    )
    linked_site = grant.linked_sites.get()
    with ConfluenceClient.for_linked_site(linked_site) as client:
        space = client.spaces_slice().items[0]
        page = client.pages_slice(space).items[0]
    return {
        "linked_site": linked_site.public_id,
        "space_key": space.key,
        "page_id": page.page_id,
        "pending_link": pending.public_id,
        "vacant_site": vacant.public_id,
        "invitation": invitation.public_id,
        "link_invitation": link_invitation.public_id,
        "server": server.provider_id,
        "service_key": key.public_id,
        "membership": Membership.objects.get(
            organization=organization, user=carol
        ).public_id,
    }


def rows():
    """Everything in the database but what a request writes about itself."""
    found = {
        model._meta.label: model._base_manager.order_by("pk")
        for model in apps.get_models()
        if model._meta.label not in _OF_THE_REQUEST
    }
    # What a signed-in person was refused is recorded as theirs.
    found["confluence_link.Event"] = Event.objects.exclude(kind="link.refused")
    ServiceKey.objects.update(last_used_at=None)
    return {label: list(each.values_list()) for label, each in found.items()}


def send(client, method, url, *, key=""):
    """As a browser would that was told to; a form without any field."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.generic(
        method, url, b"", "application/x-www-form-urlencoded", headers=headers
    )


def body(answer):
    """The page, without what is random in each."""
    return re.sub(rb'(csrfmiddlewaretoken" value=")[^"]+', rb"\1", answer.content)
