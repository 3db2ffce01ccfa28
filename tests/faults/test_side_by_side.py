"""An older and a newer version side by side: what one writes, the other reads (F29).

There is no earlier release to be started beside this one. So the formats are pinned by
fixed bytes: whoever changes one must go on reading these.
"""

from __future__ import annotations

import base64
import json
import time
from threading import Event, Thread

import pytest
import redis

from confluence_link import refresh, vault
from confluence_link.models import Grant, OAuthApp, SealedTokenSet, database_now
from tests import factories
from tests.databases import connect
from tests.faults.stage import assert_sound
from tests.sandbox_process import PARTS

# Of a grant that was linked twice and refreshed twice, under `test-2`.
GRANT = {"public_id": "a-public-id", "oauth_app_id": 7, "epoch": 2, "generation": 3}
ACCESS = (
    "AQZ0ZXN0LTLtMUIKZ5q5PIVXizdEQ+XKrFYUTahBUmh9aYaVmK/gZ06GiHRzCEQ1Z6qu6cdrQawb1iiG"
    "4JKZnG8B7A=="
)
REFRESH = (
    "AQZ0ZXN0LTI26AaRyh0P+ruQ++J22P8BpQ+rYGeOzkVQ3Dr8dbkn4bzI80mH4ZyHl5VZkxsmEbjDWQfd"
    "Q94Twscm4w=="
)
SECRET = (
    "AQZ0ZXN0LTJfgL99vs1eunw0qAcgtnx85o7AFlysLT6TR0F0SAvbSliUX8rkZWti6jkizcRwMZUQPEWC"
    "3C9WxjMJSQ=="
)
SPOOLED = (
    "AQZ0ZXN0LTKd1qdbk78Hu5lerJmZcv5Ip7OJfydrDGRVhQc3F/DPPOR9PQbl5t5lMLH250eCMMl4toLL"
    "PN02wFHNkXjbBRBwoQYC3lfopo3Dysm0WZkILijTMVPJOEy9DagLVL6ctlN4EFH5zSFxoWnINDTjzUB3"
    "BwPvYzzhhzI449f/xjhZO7ZacMgpZlFv7KkxgH5pe7qbHelmkaqetAVUA/eykuFAwVVekz9/qRx9ODwR"
    "SW7tYJhl3UlX5MugrxGw2u6pleBIcxJtf0GAD6zUk2244YjrAMfOJQJDtvfHfZ6i"
)
SPOOL_NAME = "a-public-id.2.3.sealed"


def bytes_of(text):
    return base64.b64decode(text)


def test_f29_what_an_earlier_version_sealed_opens():
    grant = Grant(pk=5, **GRANT)
    app = OAuthApp(provider_id="cloud", sealed_client_secret=bytes_of(SECRET))

    assert vault.open_access(grant, bytes_of(ACCESS)) == "an-access-token"
    assert vault.open_refresh(grant, bytes_of(REFRESH)) == "a-refresh-token"
    assert vault.open_client_secret(app) == "a-client-secret"


@pytest.mark.django_db(transaction=True)
def test_f29_what_an_earlier_version_left_in_the_spool_is_imported(settings, tmp_path):
    settings.CONFLUENCE_LINK_SPOOL_DIR = tmp_path
    (tmp_path / SPOOL_NAME).write_bytes(bytes_of(SPOOLED))
    factories.make_oauth_app(pk=GRANT["oauth_app_id"])
    now = database_now()
    grant = Grant.objects.create(
        user=factories.make_user(),
        account_id="an-account",
        expires_at=now,
        refresh_at=now,
        consented_at=now,
        last_rotated_at=now,
        **GRANT,
    )
    SealedTokenSet.objects.create(
        grant=grant,
        access=bytes_of(ACCESS),
        refresh=bytes_of(REFRESH),
        key_id="test-2",
    )

    refresh.sweep(enqueue=lambda ids: None)

    row, sealed = Grant.objects.get(), SealedTokenSet.objects.get()
    assert row.generation == GRANT["generation"] + 1
    assert vault.open_access(row, sealed.access) == "a-new-access-token"
    assert vault.open_refresh(row, sealed.refresh) == "a-new-refresh-token"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.processes
def test_f29_messages_are_ids_in_queues_that_every_version_knows(stage):
    stage.end_workers()
    stage.sweep()

    assert messages(stage, "cloud") == [[[[stage.grants["cloud"]]], {}]]
    assert messages(stage, "servers") == [[[[stage.grants["data-center"]]], {}]]


def messages(stage, queue):
    with redis.Redis.from_url(stage.made.environment["REDIS_URL"]) as broker:
        waiting = broker.lrange(f"confluence_link:{queue}", 0, -1)
    found = []
    for message in map(json.loads, waiting):
        assert message["headers"]["task"] == "confluence_link.tasks.refresh_batch"
        assert message["content-type"] == "application/json"
        found.append(json.loads(bytes_of(message["body"]))[:2])
    return found


@pytest.mark.processes
def test_f29_a_message_of_the_version_before_is_taken(stage):
    """It knew one queue only, and had no batches for servers."""
    stage.worker()
    ids = list(stage.grants.values())
    stage.inside("make_due", ids)
    stage.inside("ask", ids, {"queue": "celery"})

    for part in PARTS:
        stage.until_generation(part, 2)
    stage.until_quiet()
    assert_sound(stage)


@pytest.mark.processes
def test_f29_columns_come_and_go_while_grants_are_refreshed(stage):
    """As migrations of the next version do it, while the old one runs on."""
    ids = stage.link_many(100)
    stage.worker()
    stage.another_worker("prefork")
    is_over, migrated = Event(), []
    migrating = Thread(target=come_and_go, args=(stage, is_over, migrated))
    migrating.start()
    try:
        for generation in (2, 3, 4):
            stage.inside("make_due", ids)
            stage.sweep_until_all_have_generation(generation, len(ids))
    finally:
        is_over.set()
        migrating.join()
    stage.until_quiet()

    assert len(migrated) > 10
    assert stage.exchanges("cloud") == 3 * len(ids)
    assert_sound(stage)


def come_and_go(stage, is_over, migrated):
    tables = ("confluence_link_grant", "confluence_link_sealedtokenset")
    with connect(stage.made.environment["DATABASE_URL"]) as connection:
        while not is_over.is_set():
            for table in tables:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN later int")
            is_over.wait(0.05)
            for table in tables:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN later")
            migrated.append(time.monotonic())
