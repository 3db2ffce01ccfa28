from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from confluence_link import linking
from confluence_link.errors import LinkRefused
from confluence_link.linking.states import USED_STATE_LIFE
from confluence_link.models import PendingLink, UsedState
from tests.confluence_link.linking.pendings import make_pending

pytestmark = pytest.mark.django_db


def _age(model, name, **delta):
    model.objects.update(**{name: F(name) - timedelta(**delta)})


def test_a_state_is_claimed_once():
    linking.claim_state("a-state")
    with pytest.raises(LinkRefused, match="used"):
        linking.claim_state("a-state")


def test_a_refused_claim_leaves_the_database_usable():
    linking.claim_state("a-state")
    with pytest.raises(LinkRefused):
        linking.claim_state("a-state")
    linking.claim_state("another")
    assert UsedState.objects.count() == 2


def test_only_the_hash_of_a_state_is_kept():
    linking.claim_state("a-state")
    row = UsedState.objects.get()
    assert row.state_hash == linking.digest("a-state")
    assert "a-state" not in str(UsedState.objects.values().get())


def test_r04_a_used_state_is_purged_after_a_day():
    linking.claim_state("a-state")
    _age(UsedState, "used_at", hours=23)
    linking.purge()
    assert UsedState.objects.exists()
    _age(UsedState, "used_at", hours=1)
    linking.purge()
    assert not UsedState.objects.exists()
    assert timedelta(minutes=10) < USED_STATE_LIFE


def test_r04_a_pending_link_is_purged_after_fifteen_minutes(
    alice, organization, cloud_app
):
    make_pending(user=alice, organization=organization, oauth_app=cloud_app)
    _age(PendingLink, "created_at", minutes=14)
    linking.purge()
    assert PendingLink.objects.exists()
    _age(PendingLink, "created_at", minutes=1)
    linking.purge()
    assert not PendingLink.objects.exists()
