"""Grants that really were consented to at the sandbox."""

from __future__ import annotations

import pytest

from tests import grants


@pytest.fixture(autouse=True)
def _own_spool(settings, tmp_path):
    settings.CONFLUENCE_LINK_SPOOL_DIR = tmp_path / "spool"


@pytest.fixture
def cloud_grant(sandbox, cloud_app, alice, organization):
    return grants.link_cloud(sandbox, cloud_app, user=alice, organization=organization)


@pytest.fixture
def data_center_grant(sandbox, data_center_app, alice, organization):
    return grants.link_data_center(
        sandbox, data_center_app, user=alice, organization=organization
    )
