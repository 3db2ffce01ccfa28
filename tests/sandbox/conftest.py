from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

import sandbox
from tests.sandbox.flows import CALLBACK, CloudFlow, DataCenterFlow


@pytest.fixture(scope="session")
def shared_box() -> Iterator[sandbox.Sandbox]:
    settings = sandbox.Settings.for_redirect_uris(
        cloud=[CALLBACK], data_center=[CALLBACK]
    )
    with sandbox.running(settings) as started:
        yield started


@pytest.fixture
def box(shared_box: sandbox.Sandbox) -> sandbox.Sandbox:
    """A started sandbox as good as new."""
    shared_box.reset()
    return shared_box


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def cloud(box: sandbox.Sandbox, http: requests.Session) -> CloudFlow:
    return CloudFlow(box.cloud, http)


@pytest.fixture
def data_center(box: sandbox.Sandbox, http: requests.Session) -> DataCenterFlow:
    return DataCenterFlow(box.data_center, http)
