"""What is measured on: a database of its own, the broker, an endpoint, settings.

The settings are those of production. `bench` also makes them this process's own and
sets Django up, so modules that know models are imported after it.
"""

from __future__ import annotations

import base64
import io
import os
import secrets
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import django

from benchmarks.databases import broker_pid, own_database, postmaster_pid
from benchmarks.endpoint_process import EndpointProcess, endpoint_process

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a process may take over from ours: nothing that is a setting.
INHERITED: Final = ("PATH", "HOME", "LANG", "TMPDIR")
SWEEP_SECONDS: Final = 2
# Above what one machine can do: the cap is not what is measured.
REFRESHES_PER_SECOND: Final = 10_000


@dataclass(frozen=True, slots=True)
class Bench:
    """`environment` is that of every process; `servers` are process ids by name."""

    directory: Path
    environment: dict[str, str] = field(repr=False)
    endpoint: EndpointProcess
    servers: dict[str, int]

    @property
    def database_url(self) -> str:
        return self.environment["DATABASE_URL"]


@contextmanager
def bench() -> Iterator[Bench]:
    """Migrated, and with the Cloud app at the endpoint; no process of ours runs yet.

    `DATABASE_URL` and `REDIS_URL` name the servers, which must be on this machine.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory("-bench")))
        endpoint = stack.enter_context(endpoint_process(directory))
        server = os.environ["DATABASE_URL"]
        environment = {
            name: os.environ[name] for name in INHERITED if name in os.environ
        } | _settings(endpoint, directory)
        environment["REDIS_URL"] = os.environ["REDIS_URL"]
        servers = {
            "postgresql": postmaster_pid(server),
            "broker": broker_pid(environment["REDIS_URL"]),
        }
        environment["DATABASE_URL"] = stack.enter_context(own_database(server, "main"))
        os.environ.update(environment)
        _prepare(endpoint)
        yield Bench(directory, environment, endpoint, servers)


def _settings(endpoint: EndpointProcess, directory: Path) -> dict[str, str]:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {
        "DEBUG": "0",
        "PUBLIC_URL": "https://link.example.com",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CONFLUENCE_LINK_VAULT_KEYS": f"bench:{key}",
        "CONFLUENCE_LINK_SWEEP_SECONDS": str(SWEEP_SECONDS),
        "CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND": str(REFRESHES_PER_SECOND),
        "CONFLUENCE_LINK_SPOOL_DIR": str(directory / "spool"),
        "CONFLUENCE_CLOUD_CLIENT_ID": "bench-client",
        "CONFLUENCE_CLOUD_CLIENT_SECRET": secrets.token_urlsafe(48),
        "CONFLUENCE_CLOUD_AUTHORIZE_URL": f"{endpoint.url}/authorize",
        "CONFLUENCE_CLOUD_TOKEN_URL": endpoint.token_url,
        "CONFLUENCE_CLOUD_API_URL": endpoint.url,
        "EMAIL_URL": "dummymail://",
        # A superuser of a container is no news in each log.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }


def _prepare(endpoint: EndpointProcess) -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from confluence_link.models import OAuthApp

    call_command("migrate", verbosity=0)
    call_command("sync_cloud_app", stdout=io.StringIO())
    OAuthApp.objects.update(ca_bundle=endpoint.ca_bundle)
    connection.close()
