"""Grants without the other side: rows are all that these tests need."""

from __future__ import annotations

import pytest
from django.utils import timezone

from confluence_link.models import Grant
from tests import factories


@pytest.fixture
def make_grant(alice):
    """A live grant of Alice's; each is another account's."""
    app = factories.make_oauth_app()

    def make(**fields):
        now = timezone.now()
        defaults = {
            "oauth_app": app,
            "user": alice,
            "account_id": f"account-{Grant.objects.count()}",
            "expires_at": now,
            "refresh_at": now,
            "consented_at": now,
            "last_rotated_at": now,
        }
        return Grant.objects.create(**defaults | fields)

    return make
