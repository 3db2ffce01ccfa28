"""Who may see which page, and what nobody may do by hand (D01, D03, D07)."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from confluence_link.models import Event, LinkedSite
from tests import factories

READ_ONLY = (
    "event",
    "grant",
    "linkedsite",
    "vacantsite",
    "linkinvitation",
    "serversetup",
)


def page(model, name, *args):
    return reverse(f"admin:confluence_link_{model}_{name}", args=args)


def staff_client(*codenames):
    """A member of the staff with just these permissions."""
    user = factories.make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return factories.sign_in(Client(), user)


def lists():
    for model in admin.site._registry:
        yield reverse(
            f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        )


def test_every_list_sends_strangers_to_the_sign_in(db):
    for url in ["/admin/", *lists()]:
        answer = Client().get(url)
        assert (answer.status_code, "/login/" in answer["Location"]) == (302, True)


def test_every_list_sends_ordinary_people_away(alice_client):
    for url in ["/admin/", *lists()]:
        assert alice_client.get(url).status_code in {302, 403}, url


def test_staff_without_permission_see_no_list(db):
    client = staff_client()

    assert {client.get(url).status_code for url in lists()} == {403}


def test_staff_without_permission_see_no_numbers(grant):
    answer = staff_client().get("/admin/")

    assert "reconnect needed" not in answer.content.decode()


def test_rights_end_with_the_next_request(admin_client, grant):
    from accounts.models import User

    User.objects.filter(is_staff=True).update(is_staff=False)

    assert admin_client.get(page("grant", "changelist")).status_code == 302


@pytest.mark.parametrize("model", READ_ONLY)
def test_nobody_adds_by_hand(admin_client, model):
    assert admin_client.get(page(model, "add")).status_code == 403


@pytest.mark.parametrize("model", READ_ONLY)
def test_nobody_deletes_by_hand(admin_client, grant, waiting, model):
    Event.objects.create(at=grant.consented_at, kind=Event.Kind.LINKED)
    rows = apps.get_model("confluence_link", model).objects
    row = rows.first()

    answer = admin_client.post(page(model, "delete", row.pk), {"post": "yes"})

    assert answer.status_code == 403
    assert rows.filter(pk=row.pk).exists()


def test_a_grant_cannot_be_edited(admin_client, grant):
    url = page("grant", "change", grant.pk)

    answer = admin_client.post(url, {"status": "unlinked", "epoch": "9"})

    grant.refresh_from_db()
    assert answer.status_code == 403
    assert (grant.status, grant.epoch) == ("active", 1)


def test_who_may_only_look_is_offered_no_action(grant):
    client = staff_client("view_grant")

    text = client.get(page("grant", "changelist")).content.decode()

    assert "Account 1" in text
    assert "Refresh now" not in text


def test_who_may_only_look_cannot_act(grant, linked_site):
    client = staff_client("view_grant", "view_linkedsite")
    data = {"action": "unlink", "_selected_action": linked_site.pk, "confirmed": "yes"}

    client.post(page("linkedsite", "changelist"), data)

    assert LinkedSite.objects.filter(pk=linked_site.pk).exists()
