"""A transaction around a refresh would hide its intent: it is refused, loudly (F21)."""

from __future__ import annotations

import pytest

from tests.faults.stage import assert_sound
from tests.sandbox_process import PARTS

pytestmark = pytest.mark.processes

ATOMIC = "tests.faults.atomic_settings"
HOUR_SECONDS = 3600


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("how", ["refresh", "use"])
def test_f21_on_demand_inside_of_a_transaction_nothing_is_sent(stage, part, how):
    """Neither by an operator nor for somebody who needs a token that is over."""
    stage.pass_time(HOUR_SECONDS + 1)

    with pytest.raises(RuntimeError, match="durable"):
        stage.inside("in_a_transaction", how, stage.grants[part])

    row = stage.row(part)
    assert (row["generation"], row["attempt"], row["is_leased"]) == (1, 0, False)
    assert stage.exchanges(part) == 0
    assert_sound(stage)


def test_f21_the_address_of_the_database_cannot_ask_for_one_around_each_request(stage):
    url = stage.made.environment["DATABASE_URL"]
    told = stage.made.manage("diffsettings", DATABASE_URL=f"{url}?ATOMIC_REQUESTS=true")
    assert "'ATOMIC_REQUESTS': False" in told


def test_f21_a_site_whose_settings_ask_for_it_does_not_start(stage, monkeypatch):
    settings = {"DJANGO_SETTINGS_MODULE": ATOMIC, "CONFLUENCE_LINK_FAILPOINTS": ""}
    for name, value in settings.items():
        monkeypatch.setitem(stage.made.environment, name, value)
    with pytest.raises(RuntimeError, match="transaction around each request"):
        stage.made.start_site()
