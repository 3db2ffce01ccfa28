"""The Cloud app follows the environment, and nothing is written without need."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from confluence_link import vault
from confluence_link.models import (
    Event,
    OAuthApp,
    OAuthAppHealth,
    database_now,
)
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _cloud_settings(settings):
    settings.CONFLUENCE_CLOUD_CLIENT_ID = "the-client"
    settings.CONFLUENCE_CLOUD_CLIENT_SECRET = "the-secret"
    settings.CONFLUENCE_CLOUD_SCOPES = ["offline_access", "read:me"]


def sync():
    out = StringIO()
    call_command("sync_cloud_app", stdout=out)
    return out.getvalue().strip()


def test_without_a_client_id_it_does_nothing(settings):
    settings.CONFLUENCE_CLOUD_CLIENT_ID = ""

    assert sync() == (
        "CONFLUENCE_CLOUD_CLIENT_ID is empty: the Cloud app stays as it is."
    )
    assert not OAuthApp.objects.exists()


def test_it_makes_the_app_once():
    assert sync().startswith("The Cloud app changed: added,")

    app = OAuthApp.objects.get()
    assert (app.provider_id, app.deployment) == ("cloud", "cloud")
    assert (app.client_id, app.from_settings) == ("the-client", True)
    assert app.scopes == ["offline_access", "read:me"]
    assert vault.open_client_secret(app) == "the-secret"
    assert Event.objects.get().kind == Event.Kind.APP_CHANGED


def test_a_second_run_writes_nothing():
    sync()
    before = bytes(OAuthApp.objects.get().sealed_client_secret)

    assert sync() == "The Cloud app is up to date."

    assert bytes(OAuthApp.objects.get().sealed_client_secret) == before
    assert Event.objects.count() == 1


def test_a_new_secret_is_sealed(settings):
    sync()
    settings.CONFLUENCE_CLOUD_CLIENT_SECRET = "another"

    assert sync() == "The Cloud app changed: client_secret."

    assert vault.open_client_secret(OAuthApp.objects.get()) == "another"


def test_what_an_operator_chose_stays(settings):
    sync()
    OAuthApp.objects.update(name="Our Confluence", enabled=False)
    settings.CONFLUENCE_CLOUD_SCOPES = ["read:me"]

    assert sync() == "The Cloud app changed: scopes."

    app = OAuthApp.objects.get()
    assert (app.name, app.enabled, app.scopes) == ("Our Confluence", False, ["read:me"])


def test_a_secret_that_no_longer_opens_is_sealed_anew():
    sync()
    OAuthApp.objects.update(sealed_client_secret=b"damaged")

    assert sync() == "The Cloud app changed: client_secret."

    assert vault.open_client_secret(OAuthApp.objects.get()) == "the-secret"


def test_a_paused_app_is_probed_after_a_change(settings):
    sync()
    health = OAuthAppHealth.objects.create(
        oauth_app=OAuthApp.objects.get(),
        paused_until=database_now() + timedelta(minutes=5),
    )
    settings.CONFLUENCE_CLOUD_CLIENT_SECRET = "another"

    sync()

    health.refresh_from_db()
    assert health.paused_until is None


def test_a_client_id_without_secret_is_refused(settings):
    settings.CONFLUENCE_CLOUD_CLIENT_SECRET = ""

    with pytest.raises(CommandError, match="CLIENT_SECRET is empty"):
        sync()


def test_without_a_vault_key_nothing_is_written(settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = []

    with pytest.raises(CommandError, match="set CONFLUENCE_LINK_VAULT_KEYS"):
        sync()

    assert not OAuthApp.objects.exists()


def test_a_data_center_app_of_that_name_is_left_alone():
    factories.make_oauth_app(provider_id="cloud", base_url="https://wiki.example.com")

    with pytest.raises(CommandError, match="belongs to a Data Center app"):
        sync()


def test_no_output_or_event_holds_the_secret():
    said = sync()

    assert "the-secret" not in said + str(Event.objects.get().facts)
