from __future__ import annotations

import pytest

from config.run.programs import listen_address


@pytest.mark.parametrize(
    ("public_url", "address"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://localhost:8123", "127.0.0.1:8123"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://localhost", "127.0.0.1:8000"),
        # A proxy stands there.
        ("https://link.example.com", "127.0.0.1:8000"),
        ("https://link.example.com:8443", "127.0.0.1:8443"),
    ],
)
def test_the_site_listens_where_its_public_url_leads(public_url, address):
    assert str(listen_address(public_url)) == address
