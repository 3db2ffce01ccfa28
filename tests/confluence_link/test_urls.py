"""What may stand in an address of ours."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "address",
    [
        "/o/alice-and-co/sites/%00/",
        "/o/alice-and-co/sites/%00/timeline/",
        "/o/alice-and-co/link/pending/%00/",
        "/accounts/confluence/cloud/login/?organization=%00",
        "/accounts/confluence/cloud/login/?organization=alice-and-co&reconnect=%00",
    ],
)
def test_t04_what_no_row_can_be_called_is_not_found(alice_client, cloud_app, address):
    """PostgreSQL raises an error when it is asked for a NUL."""
    assert alice_client.get(address).status_code == 404
