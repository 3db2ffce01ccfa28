"""What every test may ask for: people, clients, the sandbox, apps; and the canary.

Alice owns an organization, in which Carol is a member; Bob owns another one.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from tests import factories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import Organization, User
    from confluence_link.models import OAuthApp

# Every code, token and secret that the sandbox makes begins so.
CANARY = "CNRY"


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    """allauth counts attempts in the cache; no test inherits another's."""
    cache.clear()


# --- people -------------------------------------------------------------------


@pytest.fixture
def alice(db: None) -> User:
    return factories.make_user("Alice")


@pytest.fixture
def bob(db: None) -> User:
    return factories.make_user("Bob")


@pytest.fixture
def carol(db: None) -> User:
    return factories.make_user("Carol")


@pytest.fixture
def organization(alice: User, carol: User) -> Organization:
    return factories.make_organization("Alice and Co", owner=alice, member=carol)


@pytest.fixture
def other_organization(bob: User) -> Organization:
    return factories.make_organization("Bob and Co", owner=bob)


@pytest.fixture
def alice_client(alice: User, organization: Organization) -> Client:
    return factories.sign_in(Client(), alice)


@pytest.fixture
def bob_client(bob: User, other_organization: Organization) -> Client:
    return factories.sign_in(Client(), bob)


@pytest.fixture
def carol_client(carol: User, organization: Organization) -> Client:
    return factories.sign_in(Client(), carol)


@pytest.fixture
def admin_client(db: None) -> Client:
    """A staff member with all rights, signed in just now."""
    admin = factories.make_user("Ada", is_staff=True, is_superuser=True)
    return factories.sign_in(Client(), admin)


# --- the other side -----------------------------------------------------------


@pytest.fixture(scope="session")
def _running_sandbox() -> Iterator[Any]:
    import sandbox

    with sandbox.running(sandbox.Settings(smtp_port=None)) as running:
        yield running


@pytest.fixture
def sandbox(_running_sandbox: Any) -> Any:
    """The stand-in Atlassian, as if just started."""
    _running_sandbox.reset()
    return _running_sandbox


@pytest.fixture
def cloud_app(db: None, sandbox: Any, settings: Any) -> OAuthApp:
    """The Cloud app, registered at the sandbox with its callback."""
    urls = sandbox.urls()["cloud"]
    settings.CONFLUENCE_CLOUD_AUTHORIZE_URL = urls["authorize_url"]
    settings.CONFLUENCE_CLOUD_TOKEN_URL = urls["token_url"]
    settings.CONFLUENCE_CLOUD_API_URL = urls["api_url"]
    return _registered(
        sandbox.cloud,
        provider_id="cloud",
        name="Confluence Cloud",
        scopes=settings.CONFLUENCE_CLOUD_SCOPES,
    )


@pytest.fixture
def data_center_app(db: None, sandbox: Any) -> OAuthApp:
    """The incoming link of the sandbox's first Data Center."""
    return _registered(
        sandbox.data_center,
        provider_id="wiki",
        name="Company wiki",
        base_url=sandbox.data_center.url,
        scopes=["WRITE"],
    )


def _registered(part: Any, **fields: Any) -> OAuthApp:
    app = factories.make_oauth_app(
        client_id=part.client.client_id,
        client_secret=part.client.secrets[0],
        **fields,
    )
    part.register_redirect_uri(app.redirect_uri)
    return app


# --- the canary ---------------------------------------------------------------


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A token in a line that only DEBUG shows is a leak too."""
    caplog.set_level(logging.DEBUG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fails a test that left a token of the sandbox where tokens must not be.

    A hook, not a fixture: the test's database is still there.
    """
    yield
    places = {
        "log": _logged(item),
        "mail": [str(sent.message()) for sent in getattr(mail, "outbox", [])],
        "session": _sessions() if _uses_database(item) else [],
    }
    for place, texts in places.items():
        if any(CANARY in text for text in texts):
            pytest.fail(f"a secret of the sandbox is in the {place}", pytrace=False)


def _logged(item: pytest.Item) -> list[str]:
    caplog: pytest.LogCaptureFixture = item.funcargs["caplog"]  # type: ignore[attr-defined]  # a function item
    lines = logging.Formatter()
    return [lines.format(record) for record in caplog.records]


def _uses_database(item: pytest.Item) -> bool:
    names = set(item.fixturenames)  # type: ignore[attr-defined]  # a function item
    asked = item.get_closest_marker("django_db") or names & {"db", "transactional_db"}
    return bool(asked) and not connection.needs_rollback


def _sessions() -> list[str]:
    return [str(row.get_decoded()) for row in Session.objects.all()]
