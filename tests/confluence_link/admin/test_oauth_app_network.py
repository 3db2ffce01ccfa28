"""A server's own network settings: given by the operator, sealed parts unseen (S12)."""

from __future__ import annotations

import pytest
import trustme
from django.urls import reverse

from confluence_link import vault
from confluence_link.models import Event, OAuthApp
from tests import factories

ADD = "/admin/confluence_link/oauthapp/add/"
PROXY = "http://proxy.example.com:3128"


@pytest.fixture(scope="module")
def pem():
    leaf = trustme.CA().issue_cert("confluence-link.example")
    return leaf.private_key_and_cert_chain_pem.bytes().decode()


@pytest.fixture
def app(db):
    return factories.make_oauth_app(
        name="Company wiki",
        provider_id="wiki",
        base_url="https://wiki.example.com/confluence",
        scopes=["WRITE"],
    )


def page(app):
    return reverse("admin:confluence_link_oauthapp_change", args=[app.pk])


def fields(app, **changes):
    return {
        "name": app.name,
        "base_url": app.base_url,
        "client_id": app.client_id,
        "scopes": "WRITE",
        "ca_bundle": app.ca_bundle,
        "proxy_url": app.proxy_url,
        "allowed_private_hosts": "\n".join(app.allowed_private_hosts),
        "organization": "",
        "enabled": "on",
        **changes,
    }


@pytest.fixture
def save(admin_client, app):
    """Posts the form with these changes; the answer, and the row as it is then."""

    def save(**changes):
        answer = admin_client.post(page(app), fields(app, **changes))
        app.refresh_from_db()
        return answer

    return save


def errors(answer):
    return answer.context["adminform"].form.errors


def text(answer):
    return answer.content.decode()


def test_a_proxy_with_its_password_is_entered(save, app, admin_client):
    save(proxy_url="HTTP://Proxy.Example.com:3128/", proxy_credentials="me:CNRY:word")

    assert app.proxy_url == PROXY
    assert vault.open_proxy_credentials(app) == "me:CNRY:word"
    changed = Event.objects.first().facts["changed"]
    assert sorted(changed) == ["proxy_credentials", "proxy_url"]
    assert "There is one" in text(admin_client.get(page(app)))


def test_a_client_certificate_is_entered_and_its_end_is_shown(
    save, app, admin_client, pem
):
    save(client_certificate=pem)

    assert vault.open_client_certificate(app) is not None
    assert Event.objects.first().facts == {"changed": ["client_certificate"]}
    shown = text(admin_client.get(page(app)))
    assert f"Valid until {app.client_certificate_expires_at:%Y-%m-%d}" in shown
    assert "BEGIN CERTIFICATE" not in shown


def test_a_second_secret_is_entered_beside_the_first(save, app):
    save(next_client_secret="CNRY-next")

    assert vault.open_client_secret(app) == "a-client-secret"
    assert vault.open_next_client_secret(app) == "CNRY-next"
    assert Event.objects.first().facts == {"changed": ["next_client_secret"]}


def test_what_is_left_empty_stays(save, app, pem):
    entered = {
        "proxy_url": PROXY,
        "proxy_credentials": "me:word",
        "client_certificate": pem,
        "next_client_secret": "next",
    }
    save(**entered)
    before = OAuthApp.objects.values().get()

    save(name="New name")

    after = OAuthApp.objects.values().get()
    assert after.pop("name") == "New name"
    assert before.items() >= after.items()


def test_what_is_not_needed_any_more_is_erased(save, app, pem):
    save(client_certificate=pem, next_client_secret="next")

    save(erase=["client_certificate", "next_client_secret"])

    assert vault.open_client_certificate(app) is None
    assert vault.open_next_client_secret(app) == ""
    assert app.client_certificate_expires_at is None
    changed = Event.objects.first().facts["changed"]
    assert sorted(changed) == ["client_certificate", "next_client_secret"]


def test_another_proxy_does_not_get_the_password_of_the_one_before(save, app):
    save(proxy_url=PROXY, proxy_credentials="me:word")

    save(proxy_url="http://other.example.com:3128")

    assert vault.open_proxy_credentials(app) == ""


def test_s12_the_operator_allows_private_hosts_to_one_app(save, app, settings):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []

    save(
        allowed_private_hosts=" wiki.corp:8090\n10.1.0.0/16\nwiki.corp:8090",
        base_url="https://wiki.corp:8090/",
        proxy_url="http://10.1.2.3:1080",
    )

    assert app.allowed_private_hosts == ["wiki.corp:8090", "10.1.0.0/16"]
    assert (app.base_url, app.proxy_url) == (
        "https://wiki.corp:8090",
        "http://10.1.2.3:1080",
    )


def test_saving_again_changes_nothing(save):
    save(allowed_private_hosts="wiki.corp", proxy_url=PROXY)
    save()

    assert Event.objects.first().facts == {"changed": []}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("proxy_url", "proxy.example.com:3128", "http://"),
        ("proxy_url", "http://me:word@proxy.example.com:3128", "field of their own"),
        ("proxy_url", "http://proxy.example.com:3128/x", "nothing more"),
        ("proxy_url", "http://proxy.example.com", "3128"),
        ("proxy_url", "http://10.0.0.1:3128", "allowed private host"),
        ("proxy_url", "http://proxy .example.com:3128", "blanks"),
        ("proxy_credentials", "word", "user:password"),
        ("proxy_credentials", ":word", "user:password"),
        ("client_certificate", "hello", "no certificate"),
        ("allowed_private_hosts", "wiki.corp http://wiki.corp", "http://wiki.corp"),
        ("ca_bundle", "-----BEGIN CERTIFICATE-----", "PEM"),
        ("base_url", "https://10.0.0.1", "private host"),
        ("base_url", "", "needs the server"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(save, settings, field, value, words):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []

    assert words in str(errors(save(**{field: value}))[field])


def test_a_password_needs_a_proxy(save):
    assert "proxy_url" in errors(save(proxy_credentials="me:word"))


def test_nothing_sealed_is_echoed_beside_another_fields_error(save, pem):
    answer = save(
        name="",
        client_certificate=pem,
        proxy_url=PROXY,
        proxy_credentials="me:CNRY-word",
        next_client_secret="CNRY-next",
    )

    assert "name" in errors(answer)
    assert "CNRY" not in text(answer)
    assert "PRIVATE KEY" not in text(answer)


def test_a_cloud_app_has_no_network_settings(admin_client, pem, app):
    given = {
        "proxy_url": PROXY,
        "proxy_credentials": "me:word",
        "client_certificate": pem,
        "allowed_private_hosts": "wiki.corp",
    }
    posted = fields(app, deployment="cloud", provider_id="acme", base_url="", **given)

    answer = admin_client.post(ADD, {**posted, "client_secret": "x"})

    assert set(errors(answer)) == set(given)


def test_secrets_of_the_environment_have_no_second_one_here(admin_client):
    cloud = factories.make_oauth_app(provider_id="cloud", from_settings=True)

    shown = text(admin_client.get(page(cloud)))
    admin_client.post(page(cloud), fields(cloud, next_client_secret="x"))

    cloud.refresh_from_db()
    assert "next_client_secret" not in shown
    assert bytes(cloud.sealed_next_client_secret) == b""


def test_a_certificate_is_not_lost_to_a_vault_without_keys(save, pem, settings):
    settings.CONFLUENCE_LINK_VAULT_KEYS = []

    assert "VAULT_KEYS" in str(errors(save(client_certificate=pem))["client_secret"])
