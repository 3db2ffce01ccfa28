"""Messages that come twice, too late, too many or broken (F14 to F16, F19, F20)."""

from __future__ import annotations

import base64
import json
import pickle
import uuid

import pytest
import redis

from confluence_link import tasks
from tests.faults.stage import assert_sound, until
from tests.sandbox_process import PARTS

pytestmark = pytest.mark.processes

QUEUES = ("cloud", "celery", "servers")
# As many as may wait in a queue.
STALE = tasks.WAITING_AT_MOST


@pytest.fixture
def broker(stage):
    with redis.Redis.from_url(stage.made.environment["REDIS_URL"]) as client:
        yield client


def key(name):
    return f"confluence_link:{name}"


# --- too often ------------------------------------------------------------------


def test_f14_two_workers_asked_a_thousand_times_exchange_once_per_due_time(stage):
    stage.worker()
    stage.another_worker("prefork")
    ids = list(stage.grants.values())
    for _ in range(2):
        stage.inside("make_due", ids)
        stage.inside("ask", ids, {}, 1_000)
        stage.until_quiet()

    for part in PARTS:
        assert stage.exchanges(part) == 2
        assert stage.family(part)["reuses_inside_leeway"] == 0
    assert_sound(stage)


def test_f15_two_beats_two_workers_and_a_command_refresh_once(stage):
    """Whoever starts one too many, or runs the command by hand, does no harm."""
    stage.worker()
    stage.another_worker("prefork")
    beats = ["beat-a", "beat-b"]
    for name in beats:
        stage.made.start_beat(name)
    stage.inside("make_due", list(stage.grants.values()))
    for _ in range(5):
        stage.tick()
    stage.made.manage("refresh_grants")
    for part in PARTS:
        stage.inside("ask", [stage.grants[part]])
    stage.until_quiet()
    for name in beats:
        stage.made.kill(name)

    for part in PARTS:
        stage.until_generation(part, 2)
        assert stage.exchanges(part) == 1
        assert stage.family(part)["reuses_inside_leeway"] == 0
    assert_sound(stage)


def test_f15_a_message_that_redis_gives_back_is_done_once(stage, broker):
    """As after eleven minutes without an answer from whoever took it."""
    stage.worker()
    stage.points.at("answered", "hold")
    stage.sweep("cloud")
    stage.until_reached("answered")
    taken = stage.logged("refresh_batch")
    stage.another_worker()
    index = key("unacked_index")
    for tag in broker.zrange(index, 0, -1):
        broker.zadd(index, {tag: 1})

    until(lambda: stage.logged("refresh_batch") > taken)
    until(lambda: stage.logged("batch asked=1 done={}"))
    stage.points.go_on("answered")

    stage.until_generation("cloud", 2)
    assert stage.exchanges("cloud") == 1
    assert_sound(stage)


# --- not at all, and then all at once -------------------------------------------


def test_f16_without_beat_tokens_are_served_operators_told_and_all_is_made_up_for(
    stage,
):
    ids = stage.link_many(40)
    stage.worker()
    stage.pass_time(2 * 3600)

    assert "A grant has been due for" in stage.inside("operators_page")
    for part in PARTS:
        assert stage.inside("use", stage.grants[part])
        assert stage.exchanges(part) == 1

    stage.tick()
    stage.until_all_have_generation(2, len(ids) + 1)
    stage.until_quiet()
    # Nobody was asked twice, and those who were served meanwhile were not asked again.
    assert stage.exchanges("cloud") == len(ids) + 1
    assert "A grant has been due for" not in stage.inside("operators_page")
    assert_sound(stage)


# --- too many -------------------------------------------------------------------


def test_f19_a_backlog_of_stale_batches_is_gone_through_at_once(stage, broker):
    """After an outage, when they were sent and nobody took any: nothing is due."""
    stage.end_workers()
    stage.inside("ask", list(stage.grants.values()), {"queue": "cloud"})
    repeat(broker, "cloud", STALE)

    stage.worker()
    stage.sweep()

    for part in PARTS:
        stage.until_generation(part, 2)
    until(lambda: not broker.llen(key("cloud")), seconds=300)
    stage.until_quiet()
    for part in PARTS:
        assert stage.exchanges(part) == 1
    assert_sound(stage)


def test_f19_a_backlog_of_beat_s_messages_is_gone_through_at_once(stage, broker):
    """Its worker was away for hours, in which nobody was asked in vain."""
    stage.end_workers()
    for name in ("sweep", "send_notices", "purge", "send_notices"):
        stage.inside("say", name)
    repeat(broker, "celery", STALE)
    stage.inside("make_due", list(stage.grants.values()))

    stage.worker()

    for part in PARTS:
        stage.until_generation(part, 2)
    until(lambda: not broker.llen(key("celery")), seconds=300)
    stage.until_quiet()
    for part in PARTS:
        assert stage.exchanges(part) == 1
    assert_sound(stage)


def test_f19_what_nobody_takes_does_not_pile_up(stage, broker):
    """As if one queue's worker was away for a week: sweeps go on, and add nothing."""
    stage.end_workers()
    stage.inside("make_due", list(stage.grants.values()))
    stage.tick()
    for queue in ("cloud", "servers"):
        assert broker.llen(key(queue)) == 1
        repeat(broker, queue, STALE)
    for _ in range(3):
        stage.pass_time(61)
        stage.tick()

    for queue in ("cloud", "servers"):
        assert broker.llen(key(queue)) == STALE
    stage.forget_messages()
    stage.pass_time(61)
    stage.tick()
    stage.worker()
    for part in PARTS:
        stage.until_generation(part, 2)
    stage.until_quiet()
    assert_sound(stage)


def repeat(broker, queue, count):
    """What waits there, again and again, until there are so many."""
    waiting = broker.lrange(key(queue), 0, -1)
    broker.delete(key(queue))
    with broker.pipeline() as pipe:
        for number in range(count):
            pipe.lpush(key(queue), another(waiting[number % len(waiting)]))
        pipe.execute()


def another(message):
    """The same message once more."""
    copy = json.loads(message)
    copy["headers"]["id"] = str(uuid.uuid4())
    copy["properties"]["correlation_id"] = copy["headers"]["id"]
    copy["properties"]["delivery_tag"] = str(uuid.uuid4())
    return json.dumps(copy)


# --- broken ---------------------------------------------------------------------


def unknown_task(message):
    message["headers"]["task"] = "confluence_link.tasks.no_such_task"


def no_list_of_ids(message):
    body = [[{"not": "ids"}], {}, {"callbacks": None, "errbacks": None, "chain": None}]
    message["body"] = base64.b64encode(json.dumps(body).encode()).decode()


def too_many_arguments(message):
    body = [[1, 2, 3], {"more": 1}, {}]
    message["body"] = base64.b64encode(json.dumps(body).encode()).decode()


def no_json(message):
    message["body"] = base64.b64encode(b"{[").decode()


class Touches:
    """Unpickled, it leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def pickled(message):
    body = pickle.dumps([[Touches("/proc/self/cwd/unpickled")], {}, {}])
    message["body"] = base64.b64encode(body).decode()
    message["content-type"] = "application/x-python-serialize"
    message["content-encoding"] = "binary"


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_f20_a_poisoned_message_is_dropped_and_the_worker_goes_on(stage, broker, pool):
    stage.end_workers()
    stage.inside("ask", list(stage.grants.values()), {"queue": "cloud"})
    (message,) = broker.lrange(key("cloud"), 0, -1)
    broker.delete(key("cloud"))
    name = stage.worker(pool)

    for spoil in (unknown_task, no_list_of_ids, too_many_arguments, no_json, pickled):
        spoiled = json.loads(another(message))
        spoil(spoiled)
        for queue in QUEUES:
            broker.lpush(key(queue), json.dumps(spoiled))
    stage.sweep()

    for part in PARTS:
        stage.until_generation(part, 2)
    stage.until_quiet()
    assert stage.made.is_running(name)
    assert "Refusing to deserialize" in stage.made.log(name)
    assert_sound(stage)
