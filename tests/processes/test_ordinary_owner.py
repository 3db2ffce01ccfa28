"""The second wall where the user of `DATABASE_URL` is no superuser, as it should be."""

from __future__ import annotations

import os
import subprocess
import sys

import environ
import psycopg
import pytest

from config.env import BASE_DIR
from config.run.servers import temporary_server
from tests.installation import VAULT_KEY

pytestmark = pytest.mark.processes

IS_UP = """
from accounts.isolation import acting_for
from accounts.models import Organization, User
Organization.objects.found(name="A", owner=User.objects.create(email="a@example.org"))
with acting_for():
    print("seen:", Organization.objects.count())
"""


@pytest.fixture
def server():
    with temporary_server("postgresql") as url:
        yield url


def owner(server, rights):
    """The URL of an empty database, for its owner with these rights."""
    parts = environ.Env.db_url_config(server)
    with psycopg.connect(
        host=parts["HOST"], user=parts["USER"], dbname=parts["NAME"], autocommit=True
    ) as connection:
        connection.execute(f"CREATE ROLE link LOGIN {rights}")
        connection.execute("CREATE DATABASE link OWNER link")
    return f"postgresql://link@/{parts['HOST']}/link"


def manage(database, *arguments):
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env={
            "PATH": os.environ["PATH"],
            "DEBUG": "0",
            "SECRET_KEY": "only-ever-signs-what-tests-made",
            "PUBLIC_URL": "http://localhost:8000",
            "CONFLUENCE_LINK_ALLOW_HTTP": "1",
            "CONFLUENCE_LINK_VAULT_KEYS": VAULT_KEY,
            "DATABASE_URL": database,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def test_who_may_make_roles_gets_the_wall_by_migrating(server):
    database = owner(server, "CREATEROLE")

    manage(database, "migrate", "--verbosity", "0")

    assert "accounts.W001" not in manage(database, "check", "--database", "default")
    assert "seen: 0" in manage(database, "shell", "--verbosity", "0", "-c", IS_UP)


def test_who_may_not_is_told_and_works_without_it(server):
    database = owner(server, "NOCREATEROLE")

    manage(database, "migrate", "--verbosity", "0")

    assert "accounts.W001" in manage(database, "check", "--database", "default")
    assert "seen: 1" in manage(database, "shell", "--verbosity", "0", "-c", IS_UP)
