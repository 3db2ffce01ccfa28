"""A process of the installation that does what a test of faults asks for.

`python -m tests.faults.inside` reads one call a line, as JSON, and answers in one line:
the public functions of this module. It stands for whoever else uses the rows, the site
above all, without its start for every question.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import django

django.setup()

from django.contrib.sessions.models import Session  # noqa: E402  # after the set-up
from django.core.management import call_command  # noqa: E402
from django.core.management.color import no_style  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Q  # noqa: E402
from django.forms.models import model_to_dict  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.models import Organization, User  # noqa: E402
from confluence_link import failpoints, linking, refresh, tasks, vault  # noqa: E402
from confluence_link.client import ConfluenceClient  # noqa: E402
from confluence_link.models import (  # noqa: E402
    Event,
    Grant,
    LinkedSite,
    OAuthApp,
    OAuthAppHealth,
    SealedTokenSet,
    database_now,
)
from tests import factories, grants, many  # noqa: E402
from tests.faults.crowd_rows import (  # noqa: E402, F401  # asked for by name
    crowd_at_rest,
    late,
    make_crowd,
    make_crowd_due,
)

OURS = ("accounts_", "confluence_link_", "account_", "socialaccount_")


# --- people and grants --------------------------------------------------------


def begin_anew(data_center_url: str, client_id: str, client_secret: str) -> None:
    """Nothing but Alice, her organization, and the two apps."""
    tables = [
        name
        for name in connection.introspection.table_names()
        if name.startswith(OURS) and name != "confluence_link_vaultkey"
    ]
    flush = connection.ops.sql_flush(no_style(), tables, allow_cascade=True)
    connection.ops.execute_sql_flush(flush)
    call_command("sync_cloud_app", verbosity=0)
    alice = factories.make_user("Alice")
    factories.make_organization("Alice and Co", owner=alice)
    factories.make_oauth_app(
        client_id=client_id,
        client_secret=client_secret,
        provider_id="wiki",
        name="Company wiki",
        base_url=data_center_url,
        scopes=["WRITE"],
    )


def link_cloud(url: str) -> int:
    """Alice's grant; when she has one already, she links again."""
    box = SimpleNamespace(cloud=SimpleNamespace(url=url))
    return grants.link_cloud(box, _app("cloud"), **_people()).pk


def link_data_center(url: str) -> int:
    box = SimpleNamespace(data_center=SimpleNamespace(url=url))
    return grants.link_data_center(box, _app("wiki"), **_people()).pk


def link_many(provider_id: str, answers: list[dict[str, Any]]) -> list[int]:
    """A grant of an account of its own for each of these answers."""
    people = _people()
    sites = many.links(
        people["organization"],
        people["user"],
        len(answers),
        app=_app(provider_id),
        last_used_at=database_now(),
    )
    made = [site.grant for site in sites]
    with transaction.atomic():
        for grant, answer in zip(made, answers, strict=True):
            vault.store_token_set(
                grant,
                access_token=answer["access_token"],
                refresh_token=answer["refresh_token"],
            )
    return [grant.pk for grant in made]


def unlink(grant_id: int) -> None:
    for site in LinkedSite.objects.filter(grant_id=grant_id):
        linking.unlink(linked_site=site, actor=_alice())


def make_operator() -> None:
    factories.make_user("Ada", is_staff=True, is_superuser=True)


def switch(what: str, is_active: bool) -> None:
    """The person, or the organization that uses their grants."""
    row = _alice() if what == "person" else Organization.objects.get()
    row.is_active = is_active
    row.save()


def enter_secret(provider_id: str, secret: str, is_next: bool) -> None:
    """As an operator does in the admin: at once, or beside the one in use."""
    app = _app(provider_id)
    seal = vault.seal_next_client_secret if is_next else vault.seal_client_secret
    seal(app, secret)
    app.save()


def _app(provider_id: str) -> OAuthApp:
    return OAuthApp.objects.get(provider_id=provider_id)


def _alice() -> User:
    return User.objects.get(first_name="Alice")


def _people() -> dict[str, Any]:
    return {"user": _alice(), "organization": Organization.objects.get()}


# --- time and work ------------------------------------------------------------


def make_due(ids: list[int]) -> None:
    for grant in Grant.objects.filter(pk__in=ids):
        grants.make_due(grant)


def move_back(seconds: float) -> None:
    """All times of the rows; the test moves the sandbox's clock on as well."""
    passing = SimpleNamespace(advance=lambda seconds: None)
    grants.seconds_pass(SimpleNamespace(clock=passing), seconds)


def sweep() -> None:
    """As beat's message does: what is due goes to the broker."""
    tasks.sweep()


def say(name: str) -> None:
    """One of beat's messages, which are without arguments."""
    tasks.sweep.app.send_task(f"confluence_link.tasks.{name}")


def ask(
    ids: list[int], options: Mapping[str, Any] | None = None, times: int = 1
) -> None:
    """A message that was sent twice, or by hand; the options are Celery's."""
    for _ in range(times):
        tasks.refresh_batch.apply_async(args=(ids,), **(options or {}))


def send_notices() -> None:
    tasks.send_notices()


def ask_for_notices() -> None:
    """The same by a message, for a worker."""
    tasks.send_notices.delay()


def refresh_now(grant_id: int) -> str:
    return str(refresh.refresh_now(grant_id=grant_id))


def in_a_transaction(how: str, grant_id: int) -> None:
    """As if a request had one around it: an operator's refresh, or a use."""
    with transaction.atomic():
        {"refresh": refresh_now, "use": use}[how](grant_id)


def use(grant_id: int) -> str:
    """Who the token belongs to, asked at the API."""
    site = LinkedSite.objects.filter(grant_id=grant_id).first()
    assert site is not None
    with ConfluenceClient.for_linked_site(site) as client:
        return client.current_user().name


# --- what is there ------------------------------------------------------------


def row(grant_id: int) -> dict[str, Any]:
    grant = Grant.objects.get(pk=grant_id)
    return model_to_dict(grant) | {
        "is_leased": bool(grant.lease_until and grant.lease_until > database_now()),
        "now": database_now(),
    }


def rows() -> list[dict[str, Any]]:
    """All grants, with what a test of many asks for."""
    columns = (
        *("pk", "status", "generation", "last_error", "refresh_at", "refusals"),
        "uncertain_since",
    )
    return list(Grant.objects.order_by("pk").values(*columns))


def count_generation(least: int) -> int:
    at_cloud = Grant.objects.filter(oauth_app__provider_id="cloud")
    return at_cloud.filter(generation__gte=least).count()


def now() -> str:
    """By the database's clock."""
    return database_now().isoformat()


def count_rotated_since(moment: str) -> int:
    return Grant.objects.filter(last_rotated_at__gt=moment).count()


def sum_of_rotations() -> int:
    generations = Grant.objects.values_list("generation", flat=True)
    return sum(generation - 1 for generation in generations)


def events(kind: str = "") -> list[dict[str, Any]]:
    found = Event.objects.filter(kind=kind) if kind else Event.objects.all()
    return [{"kind": one.kind, **one.facts} for one in found.order_by("pk")]


def sealed() -> int:
    return SealedTokenSet.objects.count()


def health(provider_id: str) -> dict[str, Any]:
    found = OAuthAppHealth.objects.filter(oauth_app__provider_id=provider_id).first()
    return model_to_dict(found) if found else {}


def operators_page() -> str:
    """What the admin's start page tells."""
    ada = User.objects.filter(is_superuser=True).first() or factories.make_user(
        "Ada", is_staff=True, is_superuser=True
    )
    client = factories.sign_in(Client(SERVER_NAME="localhost"), ada)
    return client.get("/admin/").content.decode()


def due() -> int:
    return Grant.objects.due(database_now()).count()


def leased() -> int:
    return Grant.objects.filter(
        Q(lease_until__gt=database_now()) & ~Q(lease_id=None)
    ).count()


def sessions() -> list[str]:
    return [str(session.get_decoded()) for session in Session.objects.all()]


def answer(line: str) -> dict[str, Any]:
    call = json.loads(line)
    try:
        return {"value": globals()[call["name"]](*call["arguments"])}
    except Exception:
        traceback.print_exc()
        return {"error": traceback.format_exc(limit=0)}
    finally:
        # A test may restart the server meanwhile.
        connection.close()


def main() -> None:
    # It asks and looks; what is armed is armed for the others.
    failpoints.arm(None)
    # What commands tell goes to the log, between the answers it would be none.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        print(json.dumps(answer(line), default=str), file=answers, flush=True)


if __name__ == "__main__":
    main()
