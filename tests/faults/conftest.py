"""One installation for all tests that change nothing of it, new people for each."""

from __future__ import annotations

import pytest

from tests.faults.stage import staged


@pytest.fixture(scope="session")
def shared_stage(tmp_path_factory):
    with staged(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture
def stage(shared_stage):
    """Alice with a grant at Cloud and one at Data Center; workers may be running."""
    shared_stage.begin_anew()
    return shared_stage
