"""R09: Redis and Valkey carry hints and counts; without them everything goes on."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from config.celery_app import app as celery_app
from confluence_link import handoff, tasks
from confluence_link.models import LinkedSite
from tests import factories, grants, link_steps
from tests.factories import PASSWORD

NOBODY = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def _redis_is_down(settings):
    """For the cache and for the broker, in the processes of site and worker."""
    settings.CACHES = {
        "default": {
            "BACKEND": "config.cache.SteadyCache",
            "LOCATION": NOBODY,
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
    }
    # What this process counted for itself in an earlier test.
    cache.clear()
    broker = celery_app.conf.broker_url
    celery_app.conf.broker_url = NOBODY
    yield
    celery_app.conf.broker_url = broker


def test_r09_people_sign_in(alice):
    browser = Client()
    form = {"login": alice.email, "password": PASSWORD}

    assert browser.post(reverse("account_login"), form).status_code == 302
    assert "_auth_user_id" in browser.session


def test_r09_wrong_passwords_are_limited_more_strictly(alice):
    """Of one address, seven in this process instead of thirty in all."""

    def sign_in(password, source):
        browser = Client(REMOTE_ADDR=source)
        form = {"login": alice.email, "password": password}
        browser.post(reverse("account_login"), form)
        return "_auth_user_id" in browser.session

    assert [sign_in(PASSWORD, "198.51.100.7") for _ in range(9)] == [True] * 7 + [
        False
    ] * 2
    for _ in range(9):
        assert not sign_in("wrong", "203.0.113.9")
    assert not sign_in(PASSWORD, "203.0.113.9")


def test_r09_staff_works_in_the_admin(admin_client, organization):
    assert admin_client.get("/admin/").status_code == 200
    url = reverse("admin:accounts_organization_change", args=[organization.pk])
    assert admin_client.get(url).status_code == 200


def test_r09_a_fresh_token_is_handed_out(alice, organization, cloud_app, sandbox):
    grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    handed = handoff.for_linked_site(linked_site=LinkedSite.objects.get())

    assert handed.access_token.generation == 1


def test_r09_a_token_that_ran_out_is_refreshed_on_demand(
    alice, organization, cloud_app, sandbox
):
    grant = grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)
    grants.seconds_pass(sandbox, 3590)

    assert handoff.fresh_token(grant=grant).generation == 2


def test_r09_a_queue_that_cannot_be_asked_is_not_full():
    """Whoever wants to send something tries, and is told what is wrong then."""
    with celery_app.connection_for_write() as connection:
        assert not tasks.is_full("celery", connection)


def test_r09_people_link_and_look_around(alice, organization, cloud_app, sandbox):
    browser = factories.sign_in(Client(), alice)
    site = link_steps.linked(browser, sandbox, organization=organization)

    assert browser.get(site.get_absolute_url()).status_code == 200
