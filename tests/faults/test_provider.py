"""The other side is away, slow, wrong or says no (F30 to F38).

Each fault has an example in every run; the others like it are for `make test-faults`.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest

from tests.faults.stage import assert_no_secret, assert_sound, until

pytestmark = pytest.mark.processes

MANY = int(os.environ.get("FAULT_GRANTS", "200"))
HTML = {"Content-Type": "text/html"}


def rarely(*values, **options):
    """An example that `make test-faults` runs alone."""
    marks = [pytest.mark.faults, *options.pop("marks", [])]
    return pytest.param(*values, marks=marks, **options)


def assert_all_alive(stage, ids):
    rows = [one for one in stage.inside("rows") if one["pk"] in ids]
    assert {one["status"] for one in rows} == {"active"}
    assert {one["last_error"] for one in rows} == {""}


def assert_none_dead(stage):
    assert {one["status"] for one in stage.inside("rows")} == {"active"}
    assert stage.inside("events", "grant.reconnect_needed") == []


# --- away -----------------------------------------------------------------------


# In an hour, in steps of two minutes: one in each step for the length of the leeway,
# then ever rarer, up to one in five minutes.
MOST_PROBES = 20
# A name that nobody has (RFC 6761), and a server without TLS.
TOKEN_URLS = {
    "dns": "https://provider.invalid/oauth/token",
    "tls": "https://127.0.0.1:{port}/oauth/token",
}


@pytest.mark.parametrize(
    "preset",
    [
        "server_error",
        rarely("drop_before"),
        rarely("unavailable"),
        # Each probe takes the half minute that an exchange may take.
        rarely("hang", marks=[pytest.mark.timeout(0)], id="timeout"),
    ],
)
def test_f30_an_outage_of_an_hour_with_many_due_costs_probes_and_no_grant(
    stage, preset
):
    """What comes first afterwards, and how fast, is seen in a crowd."""
    ids = stage.link_many(MANY)
    stage.worker()
    stage.fault("cloud", preset)
    stage.inside("make_due", ids)
    stage.tick()
    stage.until_quiet()
    asked = stage.box.count("cloud", "request.token")

    stage.live(minutes=60, each=2)

    probes = stage.box.count("cloud", "request.token") - asked
    assert 0 < probes <= MOST_PROBES
    assert_none_dead(stage)
    stage.clear("cloud")
    recover(stage)
    stage.until_all_have_generation(2, len(ids))
    stage.until_quiet()
    # Alice's own came due within the hour.
    assert stage.exchanges("cloud") == len(ids) + 1
    assert_all_alive(stage, ids)
    assert_sound(stage)


def recover(stage):
    """One probe is answered, then the ramp is over: see test_crowd.py."""
    stage.pass_time(301)
    generation_2 = stage.inside("count_generation", 2)
    stage.tick()
    stage.until_all_have_generation(2, generation_2 + 1)
    stage.until_quiet()
    stage.pass_time(61)
    stage.tick()


@pytest.mark.parametrize("failing", ["tls", rarely("dns")])
def test_f30_no_way_to_the_other_side_for_an_hour_costs_no_grant(stage, failing):
    """Nothing is sent, so nothing is in doubt."""
    ids = stage.link_many(MANY)
    port = urlsplit(stage.box.cloud_url).port
    with stage.worker_with(
        CONFLUENCE_CLOUD_TOKEN_URL=TOKEN_URLS[failing].format(port=port)
    ):
        stage.inside("make_due", ids)
        stage.tick()
        stage.until_quiet()
        failed = stage.inside("health", "cloud")["consecutive_failures"]

        stage.live(minutes=60, each=2)

        probes = stage.inside("health", "cloud")["consecutive_failures"] - failed
        assert 0 < probes <= MOST_PROBES
        assert_none_dead(stage)
        assert {one["uncertain_since"] for one in stage.inside("rows")} == {None}
    stage.worker()
    recover(stage)
    stage.until_all_have_generation(2, len(ids))
    stage.until_quiet()
    # Alice's own came due within the hour.
    assert stage.exchanges("cloud") == len(ids) + 1
    assert_all_alive(stage, ids)
    assert_sound(stage)


def test_f30_answers_that_are_lost_for_eight_minutes_are_asked_for_again(stage):
    """Each was processed over there, and the leeway of ten minutes is not over."""
    ids = stage.link_many(20)
    stage.worker()
    stage.fault("cloud", "drop_after")
    stage.inside("make_due", ids)
    stage.tick()
    stage.until_quiet()

    stage.live(minutes=8)
    stage.clear("cloud")
    stage.pass_time(60)

    stage.sweep_until_all_have_generation(2, len(ids))
    assert_all_alive(stage, ids)
    assert_sound(stage)


def test_f31_a_rate_limit_of_an_hour_is_kept_for_an_hour(stage):
    ids = stage.link_many(20)
    stage.worker()
    stage.fault("cloud", "rate_limited", retry_after="3600")
    stage.inside("make_due", ids)
    stage.tick()
    stage.until_quiet()
    asked = stage.box.count("cloud", "request.token")

    stage.live(minutes=58, each=2)
    assert stage.box.count("cloud", "request.token") == asked
    # Nor for somebody who waits for it.
    assert stage.inside("refresh_now", ids[0]) == "not_due"

    stage.clear("cloud")
    stage.pass_time(180)
    stage.inside("make_due", ids)
    stage.tick()
    stage.until_all_have_generation(2, len(ids))
    stage.until_quiet()
    assert_sound(stage)


# --- wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "preset"),
    [
        ("cloud", "wrong_secret"),
        rarely("cloud", "invalid_client"),
        rarely("data-center", "wrong_secret"),
        ("data-center", "invalid_client"),
    ],
)
def test_f32_a_wrong_client_secret_is_told_to_operators_and_harms_no_grant(
    stage, part, preset
):
    stage.inside("make_operator")
    stage.worker()
    stage.fault(part, preset)
    stage.sweep(part)
    stage.until_quiet()
    stage.live(minutes=60, each=5)
    stage.inside("send_notices")

    row = stage.row(part)
    assert (row["status"], row["generation"]) == ("active", 1)
    assert len(stage.inside("events", "app.configuration_refused")) == 1
    assert len(stage.box.mails("ada@example.org")) == 1
    assert "Check client ID and secret" in stage.inside("operators_page")

    stage.clear(part)
    stage.live(minutes=6)
    stage.until_generation(part, 2)
    assert len(stage.inside("events", "app.configuration_accepted")) == 1
    assert_sound(stage)


@pytest.mark.parametrize(
    "preset", ["refresh_token_is_invalid", rarely("invalid_grant")]
)
def test_f33_refusing_everybody_for_twenty_minutes_kills_nobody(stage, preset):
    """The list wants few suspects besides. Here the guard is on the verdict: whoever is
    due is asked, and a refusal changes nothing that people or services see.
    """
    ids = stage.link_many(30)
    stage.worker()
    stage.fault("cloud", preset)
    stage.inside("make_due", ids)
    stage.tick()
    stage.until_quiet()

    stage.live(minutes=20)

    assert_none_dead(stage)
    assert len(stage.inside("events", "app.mass_refusal")) == 1
    stage.clear("cloud")
    stage.live(minutes=10)
    stage.until_all_have_generation(2, len(ids))
    assert_all_alive(stage, ids)
    assert_sound(stage)


def test_f34_a_consent_that_was_taken_back_ends_within_three_minutes(stage):
    """Somebody else succeeds meanwhile. The person hears of it once."""
    others = stage.link_many(6)
    stage.worker()
    stage.box.ask("POST", "/cloud/revoke", {"account": "alice"})
    stage.sweep("cloud")
    stage.until_quiet()
    stage.inside("make_due", others[:1])
    stage.live(minutes=3)

    assert_ended(stage, "cloud")


def test_f34_at_a_small_server_it_ends_within_twenty_minutes(stage):
    """Nobody else is there whose success would prove anything."""
    stage.worker()
    stage.box.ask("POST", "/data-center/revoke", {"account": "dora"})
    stage.sweep("data-center")
    stage.until_quiet()
    stage.live(minutes=10)
    assert stage.row("data-center")["status"] == "active"
    stage.live(minutes=10)

    assert_ended(stage, "data-center")


def assert_ended(stage, part):
    row = stage.row(part)
    assert (row["status"], row["death_reason"]) == ("reconnect_needed", "revoked")
    with pytest.raises(RuntimeError, match="ReauthorizationRequired"):
        stage.inside("use", stage.grants[part])
    for _ in range(2):
        stage.inside("send_notices")
    subjects = [mail["subject"] for mail in stage.box.mails("alice@example.org")]
    assert subjects.count("Your Confluence link needs you") == 1
    assert len(stage.inside("events", "grant.reconnect_needed")) == 1
    assert_no_secret(stage)


# --- slow -----------------------------------------------------------------------


def test_f35_a_server_that_is_slow_holds_up_nobody_else(stage):
    slow = stage.link_many(12, "data-center")
    quick = stage.link_many(60)
    stage.worker("prefork")
    stage.fault("data-center", "hold")
    stage.inside("make_due", [*slow, *quick])
    stage.tick()
    stage.until_counted("data-center", "fault.token.hold")

    stage.until_all_have_generation(2, len(quick))
    assert stage.exchanges("data-center") == 0
    assert stage.box.count("data-center", "fault.token.hold") <= 4

    stage.clear("data-center")
    stage.release("data-center")
    for _ in range(4):
        stage.until_quiet()
        stage.tick()
    stage.until_quiet()
    assert stage.exchanges("data-center") == len(slow)
    assert_sound(stage)


@pytest.mark.parametrize(
    "reuse", ["last_wins", rarely("siblings"), rarely("idempotent")]
)
def test_f36_a_request_that_is_processed_after_we_gave_up_harms_nothing(stage, reuse):
    """The second one was answered by then, and is what we go on with."""
    stage.behave("cloud", reuse=reuse)
    stage.fault("cloud", "hold", times=1)
    name = stage.worker()
    stage.sweep("cloud")
    stage.until_counted("cloud", "fault.token.hold")
    stage.made.kill(name)
    stage.forget_messages()
    stage.worker()
    stage.lease_ends()
    stage.tick()
    stage.until_generation("cloud", 2)

    stage.release("cloud")
    until(lambda: stage.exchanges("cloud") == 2)

    assert stage.inside("use", stage.grants["cloud"])
    assert_sound(stage)


# --- not itself -----------------------------------------------------------------


def page(status, title):
    body = f"<h1>{title}</h1>"
    return "custom", {"status": status, "body": body, "headers": HTML}


@pytest.mark.parametrize(
    ("preset", "options"),
    [
        pytest.param("unavailable", {}, id="maintenance"),
        pytest.param("login_page", {}, id="login"),
        pytest.param(
            *("redirect", {"status": 301, "location": "http://127.0.0.1:9/moved"}),
            id="moved",
        ),
        rarely("blocked", {}, id="firewall"),
        rarely(*page(404, "No such page"), id="other-path"),
        rarely(*page(402, "No licence"), id="licence"),
    ],
)
def test_f37_whatever_else_a_server_answers_is_no_refusal(stage, preset, options):
    stage.worker()
    stage.fault("data-center", preset, **options)
    stage.sweep("data-center")
    stage.until_quiet()

    stage.live(minutes=60, each=5)

    assert_none_dead(stage)
    assert stage.row("data-center")["last_error"]
    stage.clear("data-center")
    stage.live(minutes=60, each=5)
    until(lambda: stage.row("data-center")["last_error"] == "")
    assert_sound(stage)


def test_f38_a_server_that_wants_the_redirect_uri_again_gets_it(stage):
    stage.behave("data-center", redirect_uri_required_on_refresh=True)
    stage.worker()
    stage.sweep("data-center")

    stage.until_generation("data-center", 2)
    assert_sound(stage)
