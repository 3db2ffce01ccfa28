from __future__ import annotations

import pytest

from confluence_link.errors import TransportError
from tests.confluence_link.atlassian.conftest import TOKEN

CLOUD_ID = "1324a887-45db-1bf4-1e99-ef0ff456d421"


def test_a_call_shows_its_token_to_nobody(cloud):
    assert TOKEN not in repr(cloud.call(CLOUD_ID))


def test_an_answer_that_is_too_long_is_not_read(cloud, wire):
    wire.answer(f"/ex/confluence/{CLOUD_ID}/x", b"x" * 100)

    with pytest.raises(TransportError):
        cloud.call(CLOUD_ID).get("/x", max_bytes=99)
