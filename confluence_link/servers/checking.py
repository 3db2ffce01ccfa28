"""What a probe of a server saw, kept in its row for the people who have it."""

from __future__ import annotations

from dataclasses import asdict

from accounts.isolation import across_organizations
from confluence_link import atlassian
from confluence_link.atlassian.probe import SERVER_ID, VERSION, probe
from confluence_link.atlassian.probe_steps import Step, for_everyone
from confluence_link.errors import VaultError
from confluence_link.models import Grant, OAuthApp, database_now

_SEALED = Step(
    "Settings",
    "not readable",
    "The client certificate or the proxy's password cannot be read any more. Enter it"
    " again.",
)


def check(*, oauth_app: OAuthApp) -> None:
    """Probes the server with its own settings and keeps what everyone may see.

    Takes up to 15 seconds; not for use in a transaction. Nothing is kept if the
    address was changed meanwhile.
    """
    steps = _steps(oauth_app)
    found = {step.name: step.found for step in steps if not step.cure}
    fields = {
        "probed_at": database_now(),
        "probe_steps": [_kept(step) for step in for_everyone(steps)],
    }
    if VERSION in found:
        fields["server_version"] = found[VERSION][:40]
    if SERVER_ID in found:
        fields["server_id"] = found[SERVER_ID]
    OAuthApp.objects.filter(pk=oauth_app.pk, base_url=oauth_app.base_url).update(
        **fields
    )


@across_organizations()
def is_linked(oauth_app: OAuthApp) -> bool:
    """Whether people's tokens of it are kept: its address is fixed then."""
    grants = Grant.objects.filter(oauth_app=oauth_app)
    return grants.exclude(status=Grant.Status.UNLINKED).exists()


def _steps(oauth_app: OAuthApp) -> list[Step]:
    try:
        policy = atlassian.deployment_for(oauth_app).network_policy
    except VaultError:
        return [_SEALED]
    # Another server in its place matters to those who linked.
    known_id = oauth_app.server_id if is_linked(oauth_app) else ""
    return list(probe(oauth_app.base_url, policy, known_id=known_id))


def _kept(step: Step) -> dict[str, str]:
    fields = asdict(step)
    return {name: fields[name] for name in ("name", "found", "cure", "problem")}
