"""Invitations, as a person makes them."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts import invitations


@pytest.fixture
def invite(organization, alice):
    """Makes an invitation by Alice into her organization; gives row and token."""

    def make(email="dora@example.org", role="member", actor=alice, **fields):
        return invitations.invite(
            organization=fields.pop("organization", organization),
            email=email,
            role=role,
            actor=actor,
            now=fields.pop("now", timezone.now()),
        )

    return make
