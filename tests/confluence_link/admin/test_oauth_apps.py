"""OAuth apps are added and edited; their secret goes in and never comes out (V15)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from confluence_link import vault
from confluence_link.models import (
    Event,
    OAuthApp,
    OAuthAppHealth,
    database_now,
)
from tests import factories, server_steps

ADD = "/admin/confluence_link/oauthapp/add/"
SECRET = "s3cret-CNRY-of-the-operator"
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"


def fields(**changes):
    return {
        "deployment": "data_center",
        "provider_id": "wiki",
        "name": "Company wiki",
        "base_url": "https://wiki.example.com/confluence/",
        "client_id": "the-client",
        "client_secret": SECRET,
        "scopes": "",
        "organization": "",
        "ca_bundle": "",
        "enabled": "on",
        **changes,
    }


def page(app):
    return reverse("admin:confluence_link_oauthapp_change", args=[app.pk])


def errors(answer):
    return answer.context["adminform"].form.errors


def test_a_data_center_app_is_added(admin_client):
    answer = admin_client.post(ADD, fields())

    app = OAuthApp.objects.get()
    assert answer.status_code == 302
    assert app.base_url == "https://wiki.example.com/confluence"
    assert app.scopes == ["WRITE"]
    assert vault.open_client_secret(app) == SECRET
    event = Event.objects.get()
    assert (event.kind, event.oauth_app) == (Event.Kind.APP_CHANGED, app)
    assert event.facts == {"changed": ["added"]}


def test_a_cloud_app_asks_for_the_scopes_of_the_settings(admin_client, settings):
    admin_client.post(ADD, fields(deployment="cloud", provider_id="acme", base_url=""))

    assert OAuthApp.objects.get().scopes == settings.CONFLUENCE_CLOUD_SCOPES


def test_scopes_are_words(admin_client):
    admin_client.post(ADD, fields(scopes=" READ\nWRITE  READ "))

    app = OAuthApp.objects.get()
    assert app.scopes == ["READ", "WRITE"]
    assert ">\nREAD WRITE</textarea>" in admin_client.get(page(app)).content.decode()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("base_url", "", "needs the server"),
        ("base_url", "https://a@b.example", "user name"),
        ("base_url", "https://wiki.example.com/x?y=1", "from ? or #"),
        ("base_url", "https://10.1.2.3/wiki", "not on the public internet"),
        ("base_url", "ftp://wiki.example.com", "https://"),
        ("base_url", "https://wiki.example.com:22", "443 and 8443"),
        ("client_secret", "", "required"),
        ("ca_bundle", "hello", "PEM"),
        ("provider_id", "Wiki!", "Lower-case"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    admin_client, settings, field, value, words
):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []

    answer = admin_client.post(ADD, fields(**{field: value}))

    assert words in str(errors(answer)[field])
    assert not OAuthApp.objects.exists()


def test_a_cloud_app_has_no_base_url(admin_client):
    answer = admin_client.post(ADD, fields(deployment="cloud"))

    assert "leave it empty" in str(errors(answer)["base_url"])


def test_a_secret_is_not_echoed_beside_another_fields_error(admin_client):
    answer = admin_client.post(ADD, fields(name=""))

    assert "name" in errors(answer)
    assert SECRET not in answer.content.decode()


def test_a_private_key_is_not_echoed(admin_client):
    key = "-----BEGIN PRIVATE KEY-----\nCNRYkey\n-----END PRIVATE KEY-----"

    answer = admin_client.post(ADD, fields(ca_bundle=f"{PEM}\n{key}"))

    assert "private key" in str(errors(answer)["ca_bundle"])
    assert "CNRYkey" not in answer.content.decode()


def test_nothing_is_saved_while_nothing_can_be_sealed(admin_client, settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = []

    answer = admin_client.post(ADD, fields())

    assert "VAULT_KEYS" in str(errors(answer)["client_secret"])


def test_an_operator_allows_a_private_host_to_a_draft_of_an_organization(
    admin_client, organization, alice, settings
):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = ["wiki.example.com"]
    draft = server_steps.add(organization, alice, "https://wiki.example.com:8090")
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []

    answer = admin_client.post(
        page(draft),
        fields(
            name=draft.name,
            base_url=draft.base_url,
            client_id="",
            client_secret="",
            organization=organization.pk,
            allowed_private_hosts="wiki.example.com:8090",
        ),
    )

    assert answer.status_code == 302
    draft.refresh_from_db()
    assert draft.allowed_private_hosts == ["wiki.example.com:8090"]
    assert not draft.sealed_client_secret


def test_an_empty_secret_keeps_the_old_one(admin_client):
    admin_client.post(ADD, fields())
    app = OAuthApp.objects.get()
    before = bytes(app.sealed_client_secret)

    admin_client.post(page(app), fields(client_secret="", name="New name"))

    app.refresh_from_db()
    assert app.name == "New name"
    assert bytes(app.sealed_client_secret) == before
    assert Event.objects.first().facts == {"changed": ["name"]}


def test_a_new_secret_replaces_the_old_one_and_is_recorded_by_name_only(admin_client):
    admin_client.post(ADD, fields())
    app = OAuthApp.objects.get()

    admin_client.post(page(app), fields(client_secret="another-one"))

    app.refresh_from_db()
    assert vault.open_client_secret(app) == "another-one"
    assert Event.objects.first().facts == {"changed": ["client_secret"]}


def test_deployment_and_provider_id_stay(admin_client, oauth_app):
    admin_client.post(
        page(oauth_app), fields(deployment="cloud", provider_id="other", name="N")
    )

    oauth_app.refresh_from_db()
    kept = (oauth_app.name, oauth_app.deployment, oauth_app.provider_id)
    assert kept == ("N", "data_center", "wiki")


def test_a_base_url_stays_once_people_have_linked(admin_client, grant):
    app = grant.oauth_app

    admin_client.post(page(app), fields(base_url="https://evil.example", name="N"))

    app.refresh_from_db()
    assert (app.name, app.base_url) == ("N", "https://wiki.example.com/confluence")


def test_what_the_environment_says_is_not_edited(admin_client):
    app = factories.make_oauth_app(provider_id="cloud", from_settings=True)
    before = bytes(app.sealed_client_secret)

    answer = admin_client.post(
        page(app), fields(client_id="x", name="Our Confluence", enabled="")
    )

    app.refresh_from_db()
    assert answer.status_code == 302
    assert (app.name, app.enabled) == ("Our Confluence", False)
    assert app.client_id != "x"
    assert bytes(app.sealed_client_secret) == before


def test_a_corrected_app_is_probed_at_the_next_sweep(admin_client, oauth_app):
    health = OAuthAppHealth.objects.create(
        oauth_app=oauth_app,
        openings=3,
        paused_until=database_now() + timedelta(minutes=5),
    )

    admin_client.post(page(oauth_app), fields(client_secret="right-now"))

    health.refresh_from_db()
    assert health.paused_until is None


def test_the_redirect_uri_is_shown_before_and_after(admin_client, oauth_app):
    uri = "http://testserver/accounts/confluence/{}/login/callback/"

    add = admin_client.get(ADD).content.decode()
    change = admin_client.get(page(oauth_app)).content.decode()

    assert uri.format("your-provider-id") in add
    assert uri.format("wiki") in change
    assert "Application links" in change
    assert "myapps" not in change


def test_an_app_in_use_is_not_deleted(admin_client, grant):
    url = reverse("admin:confluence_link_oauthapp_delete", args=[grant.oauth_app_id])

    admin_client.post(url, {"post": "yes"})

    assert OAuthApp.objects.filter(pk=grant.oauth_app_id).exists()


def test_deleting_an_unused_app_is_recorded(admin_client, oauth_app):
    url = reverse("admin:confluence_link_oauthapp_delete", args=[oauth_app.pk])

    admin_client.post(url, {"post": "yes"})

    assert not OAuthApp.objects.exists()
    assert Event.objects.get().facts == {"changed": "deleted", "app": "Company wiki"}


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (None, "not used yet"),
        ({}, "working"),
        ({"openings": 1}, "recovering"),
        ({"paused_until": timedelta(minutes=3)}, "paused until"),
        ({"configuration_refused_since": timedelta(0)}, "settings refused since"),
    ],
)
def test_health_in_words(admin_client, oauth_app, health, words):
    if health is not None:
        now = database_now()
        facts = {
            name: now + value if isinstance(value, timedelta) else value
            for name, value in health.items()
        }
        OAuthAppHealth.objects.create(oauth_app=oauth_app, **facts)

    text = admin_client.get("/admin/confluence_link/oauthapp/").content.decode()

    assert words in text


def test_a_switched_off_app_says_so(admin_client):
    factories.make_oauth_app(enabled=False)

    text = admin_client.get("/admin/confluence_link/oauthapp/").content.decode()

    assert "switched off" in text
