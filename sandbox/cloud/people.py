"""The Atlassian accounts and sites that exist in the sandbox's Cloud."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    """`id` is the cloud id."""

    id: str
    slug: str
    name: str
    has_confluence: bool = True
    extra_spaces: int = 0


@dataclass(frozen=True)
class Account:
    id: str
    login: str
    name: str
    email: str
    sites: tuple[Site, ...]


NORTHWIND = Site(
    "11111111-aaaa-4aaa-8aaa-000000000001", "northwind", "Northwind", extra_spaces=60
)
RIVERSIDE = Site("11111111-aaaa-4aaa-8aaa-000000000002", "riverside", "Riverside")
TICKETS = Site(
    "11111111-aaaa-4aaa-8aaa-000000000003",
    "tickets",
    "Tickets (Jira only)",
    has_confluence=False,
)
SITES = (NORTHWIND, RIVERSIDE, TICKETS)

# The three forms of account id that are seen in the wild.
ACCOUNTS = (
    Account(
        "5be24ad8b1653240376955d2",
        "alice",
        "Alice Adams",
        "alice@example.com",
        (NORTHWIND, RIVERSIDE, TICKETS),
    ),
    Account(
        "712020:0c1f6a3e-3c2f-4e7c-9a55-6f1f5f0b0b02",
        "bob",
        "Bob Baker",
        "bob@example.com",
        (RIVERSIDE,),
    ),
    Account(
        "557058:c4a1e0f2-7d6b-4f8e-8a1d-0d4a6c2e9b03",
        "carol",
        "Carol Clark",
        "carol@example.com",
        (TICKETS,),
    ),
)
CLOSED_ACCOUNT_ID = "5be24ba3f91c106033269289"


def account(login_or_id: str) -> Account | None:
    return next((a for a in ACCOUNTS if login_or_id in (a.login, a.id)), None)


def owner(account_id: str) -> Account:
    """The account of a token; only these accounts ever get one."""
    return next(account for account in ACCOUNTS if account.id == account_id)


def site(slug_or_id: str) -> Site | None:
    return next((s for s in SITES if slug_or_id in (s.slug, s.id)), None)
