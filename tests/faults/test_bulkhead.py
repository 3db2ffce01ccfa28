"""Servers that hang take no worker from Cloud, and not from each other."""

from __future__ import annotations

import json
import time

import pytest

from tests.confluence_link.http.servers import Server
from tests.installation import installation
from tests.sandbox_process import sandbox_process

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

# More servers than a worker of the tests has threads for.
AT_CLOUD, SERVERS, AT_SERVER, AT_ONCE = 20, 4, 6, 4
# Run inside the installation. Each grant has tokens of an account of its own.
LINK = """
import json
from confluence_link import vault
from confluence_link.models import OAuthApp
from tests import factories, many
alice = factories.make_user("Alice")
organization = factories.make_organization("Alice and Co", owner=alice)
answers = json.loads({answers!r})
apps = [(OAuthApp.objects.get(provider_id="cloud"), len(answers))]
for _ in range({servers}):
    apps.append((factories.make_oauth_app(base_url={base_url!r}), {at_server}))
for app, count in apps:
    for site, answer in zip(many.links(organization, alice, count, app=app), answers):
        vault.store_token_set(site.grant, access_token=answer["access_token"],
            refresh_token=answer["refresh_token"])
"""
# Cloud's fall due when the servers' are under way.
DUE = """
import time
from confluence_link.models import Grant
from confluence_link.tasks import sweep
from tests import grants
for deployment, under_way in (("data_center", {under_way}), ("cloud", 0)):
    for grant in Grant.objects.filter(oauth_app__deployment=deployment):
        grants.make_due(grant)
    sweep()
    while Grant.objects.exclude(lease_id=None).count() < under_way:
        time.sleep(0.05)
"""


@pytest.fixture
def hanging():
    """Takes every request and says nothing."""

    def handle(peer):
        peer.read_request()
        peer.server.stopping.wait(120)

    with Server(handle) as server:
        yield server


@pytest.fixture
def box():
    with sandbox_process(access_token_seconds=3600) as made:
        yield made


@pytest.fixture
def made(tmp_path, box, hanging):
    """With the workers of `compose.yaml`: one for servers, one for all else."""
    with installation(tmp_path, database="sqlite", **box.settings()) as made:
        run(
            made,
            LINK,
            answers=json.dumps(box.ask("POST", "/cloud/consents", consents(AT_CLOUD))),
            base_url=hanging.url(path="/wiki"),
            servers=SERVERS,
            at_server=AT_SERVER,
        )
        made.start_worker("cloud", "--queues", "celery,cloud", pool="threads")
        apart = ("--queues", "servers", "--concurrency", "32")
        made.start_worker("servers", *apart, pool="threads")
        yield made
        # What hangs there, nobody waits for.
        made.kill("servers")


def consents(count):
    return {
        "account_id": "5be24ad8b1653240376955d2",
        "site_id": "11111111-aaaa-4aaa-8aaa-000000000001",
        "count": count,
    }


def run(made, code, **values):
    made.manage("shell", "-v", "0", "-c", code.format(**values))


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_f35_f42_servers_that_hang_keep_no_grant_of_cloud_waiting(made, box, hanging):
    run(made, DUE, under_way=SERVERS * AT_ONCE)
    wait_until(lambda: "batch asked=" in made.log("cloud"))

    # Four at once of each server, of which not one has come to an end.
    assert hanging.connections == SERVERS * AT_ONCE
    assert "batch asked=" not in made.log("servers")
    families = box.state("cloud")["families"]
    assert [family["refreshes"] for family in families] == [1] * AT_CLOUD
