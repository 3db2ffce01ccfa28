from __future__ import annotations

import os
import stat

import pytest

from config.run import demo_environment
from confluence_link import vault

SECRETS = ("SECRET_KEY", "CONFLUENCE_LINK_VAULT_KEYS", "DEMO_ADMIN_PASSWORD")


@pytest.fixture
def complete(monkeypatch, tmp_path):
    """Completes an environment that names only what is given; what it then is."""

    def complete(**given: str) -> dict[str, str]:
        kept = {"PATH": os.environ["PATH"], **given}
        monkeypatch.setattr(os, "environ", kept)
        demo_environment.complete(tmp_path)
        return dict(kept)

    return complete


def test_an_empty_environment_gets_everything(complete):
    environment = complete()

    assert environment["PUBLIC_URL"] == "http://localhost:8000"
    assert environment["CONFLUENCE_CLOUD_TOKEN_URL"].startswith("http://127.0.0.1:8101")
    assert environment["EMAIL_URL"] == "smtp://127.0.0.1:8125"


def test_what_the_environment_names_wins(complete):
    environment = complete(
        PUBLIC_URL="http://localhost:9000",
        DATABASE_URL="postgresql://somewhere/else",
        CONFLUENCE_LINK_SWEEP_SECONDS="7",
        SECRET_KEY="mine",
    )

    assert environment["PUBLIC_URL"] == "http://localhost:9000"
    assert environment["DATABASE_URL"] == "postgresql://somewhere/else"
    assert environment["CONFLUENCE_LINK_SWEEP_SECONDS"] == "7"
    assert environment["SECRET_KEY"] == "mine"


def test_the_sandbox_is_found_at_its_other_port(complete):
    environment = complete(SANDBOX_CLOUD_PORT="8201")

    assert environment["CONFLUENCE_CLOUD_API_URL"] == "http://127.0.0.1:8201"
    assert environment["SITE_NOTICE_URL"] == "http://127.0.0.1:8201/mailbox"


@pytest.mark.parametrize("name", demo_environment.CLOUD_VARIABLES)
def test_somebodys_own_cloud_app_never_meets_the_sandboxs(complete, name):
    environment = complete(**{name: "theirs"})

    cloud = {key for key in environment if key.startswith("CONFLUENCE_CLOUD_")}
    assert cloud == {name}


def test_secrets_are_made_once_and_kept(complete):
    first = complete()

    second = complete()

    assert [first[name] for name in SECRETS] == [second[name] for name in SECRETS]


def test_nobody_else_on_the_machine_can_read_the_secrets(complete, tmp_path):
    complete()

    mode = (tmp_path / "secrets.env").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_the_vault_accepts_the_key(complete, settings):
    made = complete()["CONFLUENCE_LINK_VAULT_KEYS"]

    settings.CONFLUENCE_LINK_VAULT_KEYS = [made]

    assert vault.key_ring_problems() == []


def test_the_demo_asks_for_what_the_default_asks_for_and_to_report(complete, settings):
    asked = complete()["CONFLUENCE_CLOUD_SCOPES"].split()

    assert set(asked) == {*settings.CONFLUENCE_CLOUD_SCOPES, "report:personal-data"}
