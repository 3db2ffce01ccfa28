"""F13: whatever happens in whatever order, a grant is lost only if somebody ended it.

`HYPOTHESIS_PROFILE=long` looks longer, each time elsewhere, and `nightly` takes up to
100,000 steps.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.machine import RefreshMachine
from tests.faults.world import a_world

_ALWAYS = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    # Explaining a failure takes longer than finding it.
    phases=(Phase.generate, Phase.shrink),
)
_ELSEWHERE = settings(_ALWAYS, stateful_step_count=50, print_blob=True)
PROFILES = {
    # The same each time, so that nobody waits for a chance find of another's.
    "default": settings(
        _ALWAYS, max_examples=30, stateful_step_count=40, derandomize=True
    ),
    "long": settings(_ELSEWHERE, max_examples=150),
    "nightly": settings(_ELSEWHERE, max_examples=2_000),
}


@pytest.mark.timeout(0)
@pytest.mark.django_db(transaction=True)
def test_f13_a_grant_that_nobody_ended_lives_through_everything(
    sandbox, settings, tmp_path, caplog, monkeypatch, cloud_app, data_center_app
):
    settings.CONFLUENCE_LINK_SPOOL_DIR = tmp_path / "spool"
    profile = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "default")]
    with a_world(sandbox, settings, caplog, monkeypatch) as world:
        world.populate(cloud_app, data_center_app)
        machine = type("Machine", (RefreshMachine,), {"world": world})
        run_state_machine_as_test(machine, settings=profile)
        world.reset()
