"""Whoever is switched off or deleted is signed out everywhere, for good."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from tests import factories


@pytest.fixture
def two_clients(alice, organization):
    clients = [factories.sign_in(Client(), alice) for _ in range(2)]
    for client in clients:
        client.get("/accounts/email/")
    return clients


def is_signed_in(client):
    return client.get("/accounts/email/").status_code == 200


def test_t07_sessions_die_with_the_account_and_do_not_come_back(two_clients, alice):
    alice.is_active = False
    alice.save()
    assert not any(is_signed_in(client) for client in two_clients)
    alice.is_active = True
    alice.save()
    assert not any(is_signed_in(client) for client in two_clients)


def test_deleting_the_account_leaves_no_session(two_clients, alice):
    User.objects.get(pk=alice.pk).delete()
    assert not Session.objects.exists()
    assert not UserSession.objects.exists()


def test_the_sessions_of_others_go_on(two_clients, carol, carol_client):
    assert is_signed_in(carol_client)
    carol.is_active = False
    carol.save()
    assert not is_signed_in(carol_client)
    assert all(is_signed_in(client) for client in two_clients)


def test_any_other_change_signs_nobody_out(two_clients, alice):
    alice.first_name = "Alicia"
    alice.save()
    alice.is_active = False
    alice.save(update_fields=["first_name"])
    assert all(is_signed_in(client) for client in two_clients)
