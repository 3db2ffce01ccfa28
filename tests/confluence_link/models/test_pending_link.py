from __future__ import annotations

import pytest
from django.db import IntegrityError
from django.utils import timezone

from confluence_link.models import PendingLink, UsedState


def test_a_pending_link_is_named_after_its_account():
    assert str(PendingLink(account_id="id-1")) == "pending link of id-1"
    named = PendingLink(account_id="id-1", account_name="Ann")
    assert str(named) == "pending link of Ann"


def test_l06_a_state_is_used_once(db):
    UsedState.objects.create(state_hash="a", used_at=timezone.now())

    with pytest.raises(IntegrityError):
        UsedState.objects.create(state_hash="a", used_at=timezone.now())


def test_a_used_state_shows_no_hash():
    assert str(UsedState(state_hash="abc", used_at="then")) == "state used at then"


@pytest.mark.parametrize("model", [PendingLink, UsedState])
def test_nobody_can_be_given_a_right_to_what_is_pending(model):
    assert model._meta.default_permissions == ()
