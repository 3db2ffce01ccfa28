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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import django

from benchmarks.databases import broker_pid, name_of, own_database, postmaster_pid
from benchmarks.endpoint_process import EndpointProcess, endpoint_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What a process may take over from ours: nothing that is a setting.
INHERITED: Final = ("PATH", "HOME", "LANG", "TMPDIR")
# More often than in production, where it would cost less: a run is short.
SWEEP_SECONDS: Final = 5
# Above what one machine can do: the cap is not what is measured.
REFRESHES_PER_SECOND: Final = 10_000


@dataclass(frozen=True, slots=True)
class Bench:
    """`environment` is that of every process; `servers` are process ids by name."""

    directory: Path
    environment: Mapping[str, str] = field(repr=False)
    endpoint: EndpointProcess
    servers: Mapping[str, int]
    # Where databases can be made: nobody may be connected to one that is copied.
    server: str = field(repr=False)


@contextmanager
def bench() -> Iterator[Bench]:
    """Its database is migrated, and there is nothing in it but the Cloud app.

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
        environment["DATABASE_URL"] = stack.enter_context(own_database(server, "empty"))
        os.environ.update(environment)
        _prepare(endpoint)
        yield Bench(directory, environment, endpoint, servers, server)


@contextmanager
def on_a_copy(bench: Bench, name: str) -> Iterator[Bench]:
    """The same with another database, which was just as this one is now.

    Within the block it is also the one that this process is connected to.
    """
    connect_to(bench)
    before = bench.environment["DATABASE_URL"]
    with own_database(bench.server, name, like=before) as url:
        there = replace(bench, environment={**bench.environment, "DATABASE_URL": url})
        connect_to(there)
        try:
            yield there
        finally:
            connect_to(bench)


def connect_to(bench: Bench) -> None:
    """From the next statement of this process on."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name_of(bench.environment["DATABASE_URL"])


def _settings(endpoint: EndpointProcess, directory: Path) -> dict[str, str]:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
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
