from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.urls import reverse

from tests.factories import PASSWORD


@pytest.mark.django_db
def test_healthz_says_ok_to_anyone(client):
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.content == b"ok\n"
    assert answer["Content-Type"] == "text/plain"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_healthz_fails_while_the_database_is_away(client):
    def refuse(*args):
        raise OperationalError("connection refused by db.internal")

    with connection.execute_wrapper(refuse):
        answer = client.get("/healthz")

    assert answer.status_code == 503
    assert b"db.internal" not in answer.content


def test_connections_page_of_allauth_leads_home(alice_client):
    page = alice_client.get(reverse("socialaccount_connections"))

    assert page.status_code == 302
    assert page.url == "/"


def test_connections_page_of_allauth_takes_no_form(alice_client):
    page = alice_client.post(reverse("socialaccount_connections"), {"account": "1"})

    assert page.status_code == 302
    assert page.url == "/"


@pytest.mark.django_db
def test_confluence_account_signs_nobody_up(client):
    assert client.get(reverse("socialaccount_signup")).status_code == 404
    assert client.post(reverse("socialaccount_signup"), {}).status_code == 404


@pytest.mark.django_db
def test_admin_signs_in_through_allauth(client):
    page = client.get(reverse("admin:index"), follow=True)

    address, _ = page.redirect_chain[-1]
    assert address.startswith(reverse("account_login"))


@pytest.mark.django_db
def test_admin_form_of_django_takes_no_password(client, django_user_model):
    admin = django_user_model.objects.create_superuser("ada@example.org", PASSWORD)

    client.post(reverse("admin:login"), {"username": admin.email, "password": PASSWORD})

    assert "_auth_user_id" not in client.session


def test_admin_is_closed_to_people_who_are_no_staff(alice_client):
    page = alice_client.get(reverse("admin:index"), follow=True)

    assert page.status_code == 403


@pytest.mark.django_db
def test_addresses_stay_out_of_referers_and_forms_keep_their_origin(client):
    # With `no-referrer` a browser sends `Origin: null`, which the CSRF check refuses.
    assert client.get("/")["Referrer-Policy"] == "same-origin"
