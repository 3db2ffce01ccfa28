"""The demo's settings. What the environment or `.env` names already, wins."""

from __future__ import annotations

import base64
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CLOUD_VARIABLES = (
    "CONFLUENCE_CLOUD_CLIENT_ID",
    "CONFLUENCE_CLOUD_AUTHORIZE_URL",
    "CONFLUENCE_CLOUD_TOKEN_URL",
    "CONFLUENCE_CLOUD_API_URL",
)
NOTICE = "This is the demo, and Atlassian is a stand-in. Read the mails that it sends."


def complete(directory: Path) -> None:
    """Adds to the environment what a demo that keeps its data here needs."""
    _add(_kept_secrets(directory / "secrets.env"))
    _add(_sandbox())
    _add(_site(directory))
    # Somebody's own app at their own server goes together, or not at all.
    if not any(os.environ.get(name) for name in CLOUD_VARIABLES):
        _add(_cloud_app_of_sandbox())


def _add(variables: dict[str, str]) -> None:
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def _kept_secrets(path: Path) -> dict[str, str]:
    """Made on the first run: without its keys the database would be worth nothing."""
    if not path.exists():
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        lines = (
            f"SECRET_KEY={secrets.token_urlsafe(48)}",
            f"CONFLUENCE_LINK_VAULT_KEYS=demo:{key}",
            f"DEMO_ADMIN_PASSWORD={secrets.token_urlsafe(9)}",
        )
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n")
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {name: value for name, _, value in pairs}


def _sandbox() -> dict[str, str]:
    return {
        "SANDBOX_CLOUD_PORT": "8101",
        "SANDBOX_DATA_CENTER_PORT": "8102",
        "SANDBOX_SMTP_PORT": "8125",
        # Refreshing is to be seen within a minute.
        "SANDBOX_ACCESS_TOKEN_SECONDS": "60",
        "SANDBOX_CLIENT_ID": "sandbox-cloud-client",
        "SANDBOX_CLIENT_SECRET": "sandbox-cloud-secret",
        "SANDBOX_DATA_CENTER_CLIENT_ID": "sandbox-data-center-client",
        "SANDBOX_DATA_CENTER_CLIENT_SECRET": "sandbox-data-center-secret",
    }


def _site(directory: Path) -> dict[str, str]:
    smtp_port = os.environ["SANDBOX_SMTP_PORT"]
    return {
        # A name, not 127.0.0.1: passkeys want one, and so the cookies of the site
        # are not those of the sandbox.
        "PUBLIC_URL": "http://localhost:8000",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{directory / 'db.sqlite3'}",
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
        "SITE_NOTICE": NOTICE,
        "SITE_NOTICE_URL": f"{sandbox_url()}/mailbox",
        "CONFLUENCE_LINK_ALLOW_HTTP": "1",
        "CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        "CONFLUENCE_LINK_SWEEP_SECONDS": "5",
        "CONFLUENCE_LINK_MIN_REFRESH_SECONDS": "20",
        "CONFLUENCE_LINK_SPOOL_DIR": str(directory / "spool"),
        "DEMO_ADMIN_EMAIL": "admin@example.com",
        # Each line is shown when it is written, not when many have come together.
        "PYTHONUNBUFFERED": "1",
        # Celery says so at length; on a machine of one's own it is no news.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }


def _cloud_app_of_sandbox() -> dict[str, str]:
    url = sandbox_url()
    return {
        "CONFLUENCE_CLOUD_CLIENT_ID": os.environ["SANDBOX_CLIENT_ID"],
        "CONFLUENCE_CLOUD_CLIENT_SECRET": os.environ["SANDBOX_CLIENT_SECRET"],
        "CONFLUENCE_CLOUD_AUTHORIZE_URL": f"{url}/authorize",
        "CONFLUENCE_CLOUD_TOKEN_URL": f"{url}/oauth/token",
        "CONFLUENCE_CLOUD_API_URL": url,
        # With the scope that the default leaves out, so that reports are to be seen.
        "CONFLUENCE_CLOUD_SCOPES": (
            "offline_access read:me report:personal-data read:confluence-user"
            " search:confluence read:space:confluence read:page:confluence"
            " write:page:confluence"
        ),
    }


def sandbox_url() -> str:
    return f"http://127.0.0.1:{os.environ['SANDBOX_CLOUD_PORT']}"


def data_center_url() -> str:
    """The base URL of the sandbox's Data Center, with its context path."""
    return f"http://127.0.0.1:{os.environ['SANDBOX_DATA_CENTER_PORT']}/confluence"
