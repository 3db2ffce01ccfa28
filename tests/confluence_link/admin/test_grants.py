"""A grant's page says in words how it is and how long it lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from confluence_link.models import Grant, OAuthAppHealth
from tests import factories


def shown(client, grant):
    url = reverse("admin:confluence_link_grant_change", args=[grant.pk])
    return client.get(url).content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "active"),
        ({"consecutive_failures": 2}, "having trouble"),
        ({"status": "unlinked"}, "unlinked"),
        (
            {"status": "reconnect_needed", "death_reason": "idle_expired"},
            "not refreshed for too long",
        ),
    ],
)
def test_status_in_words(admin_client, make_grant, organization, fields, words):
    text = shown(admin_client, make_grant(organization, **fields))

    assert f'<div class="readonly">{words}</div>' in text


def test_an_app_in_trouble_is_trouble_of_its_grants(admin_client, grant):
    OAuthAppHealth.objects.create(oauth_app=grant.oauth_app, openings=1)

    assert "having trouble" in shown(admin_client, grant)


def test_a_data_center_grant_ends_only_unused(admin_client, make_grant, organization):
    start = datetime(2026, 1, 1, tzinfo=UTC)

    text = shown(admin_client, make_grant(organization, last_rotated_at=start))

    assert "April 1, 2026" in text
    assert "never by itself" in text


def test_a_cloud_grant_ends_after_a_year(admin_client, make_grant, organization):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    app = factories.make_oauth_app()

    text = shown(admin_client, make_grant(organization, app=app, consented_at=start))

    assert "Jan. 1, 2027" in text


def test_the_hour_of_an_access_token_is_not_shown(
    admin_client, make_grant, organization
):
    end = datetime(2031, 5, 6, tzinfo=UTC)

    text = shown(admin_client, make_grant(organization, expires_at=end))

    assert "May 6, 2031" not in text


def test_linked_sites_and_organizations_are_named(admin_client, grant):
    assert "<li>Site 1, Alice and Co, linked</li>" in shown(admin_client, grant)


def test_an_unlinked_grant_has_no_next_refresh(admin_client, make_grant, organization):
    soon = datetime(2031, 5, 6, tzinfo=UTC) + timedelta(0)
    grant = make_grant(organization, status="unlinked", refresh_at=soon)
    grant.linked_sites.all().delete()

    text = shown(admin_client, grant)

    assert "May 6, 2031" not in text
    assert '<div class="readonly">none</div>' in text


def test_a_list_shows_the_organizations_of_each_grant(admin_client, grant):
    answer = admin_client.get(reverse("admin:confluence_link_grant_changelist"))

    assert "Alice and Co</td>" in answer.content.decode()
    assert list(answer.context["cl"].result_list) == list(Grant.objects.all())
