"""What was mailed to be used once, as operators see it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from confluence_link.models import database_now


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "open"),
        ({"expires_at": -1}, "expired"),
        ({"revoked_at": -1, "expires_at": -1}, "revoked"),
        ({"used_at": -2, "revoked_at": -1}, "used"),
    ],
)
@pytest.mark.parametrize("model", ["linkinvitation", "serversetup"])
def test_its_state_is_one_word(admin_client, waiting, model, fields, state):
    row = waiting[model]
    at = {name: database_now() + timedelta(hours=h) for name, h in fields.items()}
    type(row).objects.update(**at)

    page = reverse(f"admin:confluence_link_{model}_changelist")
    html = admin_client.get(page).content.decode()

    assert f'<td class="field-state">{state}</td>' in html


@pytest.mark.parametrize("model", ["linkinvitation", "serversetup", "vacantsite"])
def test_each_has_a_page_of_its_own(admin_client, waiting, model):
    row = waiting[model]
    page = reverse(f"admin:confluence_link_{model}_change", args=[row.pk])

    answer = admin_client.get(page)

    assert answer.status_code == 200
    assert 'name="_save"' not in answer.content.decode()
