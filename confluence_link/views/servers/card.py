"""ServerCard: what people see of one server, prepared for templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from confluence_link import servers

if TYPE_CHECKING:
    from confluence_link.models import OAuthApp, ServerSetup
    from confluence_link.servers import Condition


@dataclass(frozen=True, slots=True)
class ServerCard:
    """`server` is the row; everything else is words about it."""

    server: OAuthApp
    condition: Condition
    words: str
    # As Confluence calls it where the link is created.
    permission: str
    # Of the last check: the one thing to do, and what to tell the operator.
    cure: str
    operators_part: str
    reached: bool
    # The server refused our credentials at the last refresh.
    refused: bool


def server_card(server: OAuthApp) -> ServerCard:
    condition = servers.condition_of(server)
    last = server.probe_steps[-1] if server.probe_steps else None
    cure = str(last["cure"]) if last else ""
    problem = str(last["problem"]) if last else ""
    health = getattr(server, "health", None)
    return ServerCard(
        server=server,
        condition=condition,
        words=_WORDS[condition],
        permission=permission_of(server),
        cure=cure,
        operators_part=_operators_part(server, problem),
        reached=last is not None and not cure,
        refused=bool(health and health.configuration_refused_since),
    )


def permission_of(server: OAuthApp) -> str:
    """The name that Confluence's own page has for the widest scope that we ask for."""
    return "Write" if "WRITE" in server.scopes else "Read"


def sender_of(setup: ServerSetup) -> str:
    """Who asks, with the address that a stranger can make sure with."""
    name, address = setup.invited_by.get_full_name(), setup.invited_by.email
    return f"{name} ({address})" if name else address


def _operators_part(server: OAuthApp, problem: str) -> str:
    """What the operator permits, to be told to them in so many words."""
    if not problem:
        return ""
    if problem == "proxy":
        return urlsplit(server.proxy_url).netloc
    return urlsplit(server.base_url).netloc


_WORDS: Final[dict[Condition, str]] = {
    servers.Condition.DRAFT: "Client ID and secret are missing",
    servers.Condition.WAITING: "Waiting for its administrator",
    servers.Condition.READY: "Ready",
    servers.Condition.TROUBLE: "Having trouble",
    servers.Condition.OFF: "Switched off by the operator",
}
