"""What people and operators do while a refresh is under way (F44 to F49)."""

from __future__ import annotations

import pytest

from tests.faults.stage import NEXT_KEY, PROVIDERS, assert_no_secret, assert_sound
from tests.installation import VAULT_KEY
from tests.sandbox_process import PARTS

pytestmark = pytest.mark.processes

each_part = pytest.mark.parametrize("part", PARTS)
# Before anything is sent, while the answer is on its way, before it is stored.
each_moment = pytest.mark.parametrize("moment", ["leased", "sent", "answered"])
LINK = {"cloud": "link_cloud", "data-center": "link_data_center"}


@pytest.fixture
def refreshing(stage, part, moment):
    """A refresh that is held at that moment; calling it lets it go on to its end."""
    stage.worker()
    if moment == "sent":
        stage.fault(part, "hold_after", times=1)
        stage.sweep(part)
        stage.until_counted(part, "exchange.refresh_token.ok")
    else:
        stage.points.at(moment, "hold")
        stage.sweep(part)
        stage.until_reached(moment)

    def go_on():
        stage.points.release()
        stage.release(part)
        stage.until_quiet()

    return go_on


def url_of(stage, part):
    urls = {"cloud": stage.box.cloud_url, "data-center": stage.box.data_center_url}
    return urls[part]


def link_again(stage, part):
    stage.grants[part] = stage.inside(LINK[part], url_of(stage, part))


@each_part
@each_moment
def test_f44_keys_are_changed_meanwhile_and_everything_opens(stage, refreshing, part):
    """What the refresh brings is newer than what was sealed again."""
    keys = {"CONFLUENCE_LINK_VAULT_KEYS": f"{NEXT_KEY},{VAULT_KEY}"}
    told = stage.made.manage("reseal_tokens", **keys)
    assert "token sets: 2 moved" in told

    refreshing()

    assert stage.row(part)["generation"] == 2
    assert_sound(stage)


@each_part
@each_moment
def test_f45_unlinked_meanwhile_it_stays_unlinked(stage, refreshing, part):
    stage.inside("unlink", stage.grants[part])
    assert stage.inside("sealed") == 1

    refreshing()

    assert stage.row(part)["status"] == "unlinked"
    assert stage.inside("sealed") == 1
    assert stage.inside("leased") == 0
    assert_no_secret(stage)
    link_again(stage, part)
    assert_sound(stage)


@each_part
@each_moment
def test_f46_linked_again_meanwhile_the_new_consent_counts(stage, refreshing, part):
    link_again(stage, part)
    linked = stage.row(part)

    refreshing()

    row = stage.row(part)
    assert (row["epoch"], row["generation"]) == (2, linked["generation"])
    assert row["expires_at"] == linked["expires_at"]
    assert_sound(stage)


@each_part
@each_moment
@pytest.mark.parametrize("what", ["person", "organization"])
def test_f47_switched_off_meanwhile_it_is_stored_and_not_served(
    stage, refreshing, part, what
):
    stage.inside("switch", what, False)

    refreshing()

    row = stage.row(part)
    assert (row["status"], row["generation"]) == ("paused", 2)
    with pytest.raises(RuntimeError, match="NotInUse"):
        stage.inside("use", stage.grants[part])
    stage.inside("switch", what, True)
    stage.tick()
    stage.until_quiet()
    assert_sound(stage)


@each_part
@each_moment
def test_f48_with_another_client_secret_meanwhile_the_next_refresh_uses_it(
    stage, refreshing, part
):
    """Whether this one was still taken or not, the grant is none the worse."""
    stage.box.ask("POST", f"/{part}/client-secret", {"client_secret": "CNRY-changed"})
    stage.inside("enter_secret", PROVIDERS[part], "CNRY-changed", False)

    refreshing()

    assert stage.row(part)["status"] == "active"
    # A refusal of the old one may have opened the breaker.
    stage.pass_time(61)
    stage.tick()
    stage.until_generation(part, 2)
    stage.until_quiet()
    assert_sound(stage)


@each_part
def test_f49_a_secret_that_overlaps_the_next_one_costs_no_refresh(stage, part):
    stage.worker()
    path = f"/{part}/client-secret"
    stage.box.ask("POST", path, {"client_secret": "CNRY-next", "keep_old": True})
    refresh_as(stage, part, 2)
    stage.inside("enter_secret", PROVIDERS[part], "CNRY-next", True)
    refresh_as(stage, part, 3)
    stage.box.ask("POST", path, {"client_secret": "CNRY-next"})
    refresh_as(stage, part, 4)

    assert stage.inside("events", "grant.refresh_failed") == []
    assert stage.inside("events", "app.configuration_refused") == []
    assert_sound(stage)


def refresh_as(stage, part, generation):
    stage.sweep(part)
    stage.until_generation(part, generation)
    stage.until_quiet()
