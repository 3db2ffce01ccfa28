"""Links accounts as a person does: the start page, the consent at the sandbox without
a browser, the callback, the confirm page. Every step is a real view or real HTTP.

The apps are those of the fixtures `cloud_app` and `data_center_app`.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from django.urls import reverse

from confluence_link.models import LinkedSite
from confluence_link.views.outcomes import OUTCOMES
from sandbox.cloud import people

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.test import Client

    from accounts.models import Organization

CLOUD = "cloud"
DATA_CENTER = "wiki"


def link_cloud(
    client: Client,
    sandbox: Any,
    *,
    organization: Organization,
    account: str = "alice",
    sites: Sequence[str] = ("northwind",),
) -> list[LinkedSite]:
    """The linked sites, in the order of `sites`; each was chosen in one consent."""
    for site in sites[:-1]:
        started = start(client, CLOUD, organization=organization)
        consent_to_cloud(sandbox, started, account=account, site=site)
    started = start(client, CLOUD, organization=organization)
    back = consent_to_cloud(sandbox, started, account=account, site=sites[-1])
    picked = [cloud_id(site) for site in sites]
    confirm(client, come_back(client, back), sites=picked)
    rows = LinkedSite.objects.for_organization(organization)
    person = people.account(account)
    assert person is not None
    return [rows.get(grant__account_id=person.id, site_id=site) for site in picked]


def link_data_center(
    client: Client, sandbox: Any, *, organization: Organization, account: str = "dora"
) -> list[LinkedSite]:
    """The one linked site, in a list."""
    started = start(client, DATA_CENTER, organization=organization)
    back = consent_to_data_center(sandbox, started, account=account)
    confirm(client, come_back(client, back), sites=[sandbox.data_center.url])
    key = sandbox.data_center.user(account).key
    rows = LinkedSite.objects.for_organization(organization)
    return [rows.get(grant__account_id=key)]


def linked(
    client: Client,
    sandbox: Any,
    *,
    organization: Organization,
    deployment: str = "cloud",
    **options: Any,
) -> LinkedSite:
    """A linked site of Cloud or, for `data_center`, of Data Center."""
    link = link_cloud if deployment == "cloud" else link_data_center
    return link(client, sandbox, organization=organization, **options)[0]


def cloud_id(site: str) -> str:
    """The cloud id of one of the sandbox's sites."""
    found = people.site(site)
    assert found is not None
    return found.id


# Step by step
# ------------------------------------------------------------------------------
def start_url(provider_id: str) -> str:
    return reverse("confluence_login", args=[provider_id])


def callback_path(provider_id: str) -> str:
    return reverse("confluence_callback", args=[provider_id])


def start(
    client: Client, provider_id: str, *, organization: Organization, **query: str
) -> Any:
    """The answer to the start page's button: a redirect to the other side."""
    asked = {"organization": organization.slug, **query}
    return client.post(start_url(provider_id), query_params=asked)


def asked_of(started: Any) -> dict[str, str]:
    """The parameters of the authorization URL that the person is sent to."""
    assert started.status_code == 302, started.content
    return dict(parse_qsl(urlsplit(started["Location"]).query))


def consent_to_cloud(
    sandbox: Any,
    started: Any,
    *,
    account: str = "alice",
    site: str = "northwind",
    decision: str = "accept",
) -> str:
    """Where Cloud sends the browser after the person's decision."""
    own = {"account": account, "site": site, "decision": decision}
    return decide(f"{sandbox.cloud.url}/authorize", {**asked_of(started), **own})


def consent_to_data_center(
    sandbox: Any, started: Any, *, account: str = "dora", decision: str = "allow"
) -> str:
    """Where Data Center sends the browser after the person's decision."""
    own = {"username": account, "decision": decision}
    url = f"{sandbox.data_center.url}/plugins/servlet/oauth2/consent"
    return decide(url, {**asked_of(started), **own})


def decide(url: str, fields: dict[str, str]) -> str:
    """Posts a decision; the address of the redirect that answers it."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(url, data=fields, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def callback_url(started: Any, *, provider_id: str = CLOUD, **answer: str) -> str:
    """A callback that the other side might send: the live state and this answer."""
    query = urlencode({"state": asked_of(started)["state"], **answer})
    return f"{callback_path(provider_id)}?{query}"


def come_back(client: Client, callback_url: str) -> Any:
    """The callback's answer: a redirect to the confirm page, or a refusal."""
    return client.get(callback_url)


def consented_to_cloud(
    client: Client,
    sandbox: Any,
    *,
    organization: Organization,
    account: str = "alice",
    site: str = "northwind",
    **query: str,
) -> Any:
    """Everything up to the callback's answer."""
    started = start(client, CLOUD, organization=organization, **query)
    back = consent_to_cloud(sandbox, started, account=account, site=site)
    return come_back(client, back)


def confirm(client: Client, came_back: Any, *, sites: Sequence[str]) -> Any:
    """The answer to the confirm page's button, which must have worked."""
    assert came_back.status_code == 303, came_back.content
    answer = client.post(came_back["Location"], {"sites": list(sites), "confirm": "1"})
    assert answer.status_code == 302, answer.content
    return answer


# What came of it
# ------------------------------------------------------------------------------
def reason_of(answer: Any) -> str:
    """Which refusal a plain page tells of, by its heading."""
    assert answer.status_code == 400, answer.content
    heading = re.search(r"<h1>(.*?)</h1>", answer.content.decode(), re.S)
    assert heading is not None
    title = html.unescape(heading[1])
    (reason,) = [name for name, outcome in OUTCOMES.items() if outcome.title == title]
    return reason


def token_calls(sandbox: Any) -> int:
    """How many requests the token endpoints of all parts have seen."""
    return sum(part.statistics["request.token"] for part in sandbox.parts.values())
