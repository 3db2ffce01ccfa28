from __future__ import annotations

import re

import pytest
from django.core import mail
from django.urls import reverse

from accounts.adapters import MAIL_NOT_SENT, public
from accounts.models import Membership, User
from tests.factories import PASSWORD

_ADDRESS = re.compile(r"https?://\S+")


@pytest.fixture
def _behind_another_host(settings):
    settings.PUBLIC_URL = "https://link.example"
    settings.ALLOWED_HOSTS = ["*"]


def _sign_up(client, email="dora@example.org", **extra):
    form = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
    return client.post(reverse("account_signup"), form, **extra)


@pytest.mark.django_db
def test_signing_up_creates_an_organization_with_its_owner(client):
    _sign_up(client)

    membership = User.objects.get().memberships.get()
    assert membership.role == Membership.Role.OWNER
    assert membership.organization.name == "dora's organization"


@pytest.mark.django_db
def test_signing_up_signs_nobody_in_before_the_address_is_confirmed(client):
    page = _sign_up(client)

    assert page.url == reverse("account_email_verification_sent")
    assert "_auth_user_id" not in client.session


def test_signing_up_with_a_known_address_tells_the_browser_nothing(client, alice):
    known = _sign_up(client, alice.email)
    new = _sign_up(client, "dora@example.org")

    assert (known.status_code, known.url) == (new.status_code, new.url)
    assert User.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("_behind_another_host")
def test_confirmation_link_uses_the_public_url_not_the_host_header(client):
    _sign_up(client, HTTP_HOST="evil.example")

    (address,) = _ADDRESS.findall(mail.outbox[0].body)
    assert address.startswith("https://link.example/accounts/confirm-email/")
    assert "evil.example" not in str(mail.outbox[0].message())


@pytest.mark.usefixtures("_behind_another_host")
def test_reset_link_uses_the_public_url_not_the_host_header(client, alice):
    client.post(
        reverse("account_reset_password"),
        {"email": alice.email},
        HTTP_HOST="evil.example",
    )

    (address,) = _ADDRESS.findall(mail.outbox[0].body)
    assert address.startswith("https://link.example/accounts/password/reset/key/")
    assert "evil.example" not in str(mail.outbox[0].message())


@pytest.mark.usefixtures("_behind_another_host")
def test_mail_about_a_known_address_names_no_foreign_host(client, alice):
    _sign_up(client, alice.email, HTTP_HOST="evil.example")

    assert "evil.example" not in str(mail.outbox[0].message())


@pytest.mark.django_db
def test_mails_carry_the_name_of_the_product(client):
    _sign_up(client)

    assert "Confluence Link" in mail.outbox[0].body


@pytest.mark.parametrize(
    "url",
    ["http://evil.example/a/b/?c=d", "https://evil.example:8443/a/b/?c=d"],
)
def test_public_address_keeps_path_and_query_alone(settings, url):
    settings.PUBLIC_URL = "https://link.example"

    assert public(url) == "https://link.example/a/b/?c=d"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["account_signup", "account_reset_password"])
def test_a_mail_server_that_is_away_is_told_and_breaks_no_page(client, settings, name):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    _sign_up(client)
    form = {"email": "dora@example.org", "password1": PASSWORD, "password2": PASSWORD}

    page = client.post(reverse(name), form, follow=True)

    assert page.status_code == 200
    assert MAIL_NOT_SENT in page.content.decode()
    assert User.objects.count() == 1
