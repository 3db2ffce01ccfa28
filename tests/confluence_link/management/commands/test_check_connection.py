"""The command says each step of a probe, and fails with the cure."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests import factories

pytestmark = pytest.mark.django_db


def check(base_url, **options):
    out = StringIO()
    call_command("check_connection", base_url, stdout=out, **options)
    return out.getvalue().splitlines()


def test_a_good_server_passes_every_step(sandbox):
    url = sandbox.data_center.url

    assert check(f"{url}/") == [
        f"Address: {url} (ok)",
        "Name: known (ok)",
        "Connection: open (ok)",
        "TLS: none (ok)",
        "State: RUNNING (ok)",
        "Product: Confluence (ok)",
        "Version: 9.2.4 (ok)",
        f"Server id: {sandbox.data_center.server_id} (ok)",
        f"Its own address: {url} (ok)",
        "https: not for the base and the redirect URL: the server must allow that (ok)",
        "People can link through this server.",
    ]


def test_the_command_fails_with_the_cure(sandbox):
    sandbox.data_center.behaviour.server_version = "7.16.5"

    with pytest.raises(CommandError, match=r"OAuth 2\.0 came with Confluence 7\.17"):
        check(sandbox.data_center.url)


def test_a_ca_bundle_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        check("https://wiki.example.com", ca_bundle=tmp_path / "none.pem")


def test_of_several_apps_with_the_address_one_is_named(sandbox):
    url = sandbox.data_center.url
    for provider_id in ("ours", "theirs"):
        factories.make_oauth_app(base_url=url, provider_id=provider_id)

    with pytest.raises(CommandError, match="add --provider-id"):
        check(url)
    with pytest.raises(CommandError, match="No OAuth app"):
        check(url, provider_id="nobodys")
    assert check(url, provider_id="ours")[-1] == "People can link through this server."


def test_a_setting_that_does_not_open_is_told(sandbox):
    app = factories.make_oauth_app(base_url=sandbox.data_center.url)
    app.sealed_client_certificate = b"not sealed"
    app.save()

    with pytest.raises(CommandError, match="does not open"):
        check(app.base_url)


def test_operators_read_which_setting_lets_a_server_in(settings):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []

    with pytest.raises(CommandError, match="CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS"):
        check("https://10.0.0.1")


def test_operators_read_that_a_port_is_closed():
    with pytest.raises(CommandError, match="Nobody answers"):
        check("http://127.0.0.1:1")
