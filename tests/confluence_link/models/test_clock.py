from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from django.utils import timezone

from confluence_link.models import database_now

pytestmark = pytest.mark.django_db


def test_it_is_now_in_utc():
    now = database_now()

    assert now.tzinfo is UTC
    assert abs(timezone.now() - now) < timedelta(minutes=1)


def test_it_goes_on_inside_a_transaction():
    first = database_now()

    while database_now() == first:
        pass

    assert database_now() > first


def test_f12_it_does_not_depend_on_our_time_zone(settings):
    before = database_now()
    settings.TIME_ZONE = "Asia/Kathmandu"

    assert timedelta() <= database_now() - before < timedelta(minutes=1)
