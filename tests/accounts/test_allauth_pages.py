"""allauth's pages in our layouts and elements: whole, labelled, nothing inline."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.template.loader import get_template
from django.urls import reverse

from tests.factories import PASSWORD

_PUBLIC = [
    "home",
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "account_email_verification_sent",
    "account_inactive",
]
_OWN = [
    "account_email",
    "account_change_password",
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "usersessions_list",
]
_UNTYPED_NAMES = {"hidden", "submit", "button"}


class _Page(HTMLParser):
    """Counts what a page must have once, and notes what it must not have."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.heads = 0
        self.inputs: set[str] = set()
        self.labels: set[str] = set()
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.heads += tag == "h1"
        if tag == "label":
            self.labels.add(values["for"])
        if tag in {"input", "select", "textarea"}:
            self._note_input(values)
        self.inline += [name for name in values if name[:2] == "on" or name == "style"]
        if tag == "style" or (tag == "script" and not _may_run(values)):
            self.inline.append(tag)

    def _note_input(self, values):
        if values.get("type") not in _UNTYPED_NAMES:
            self.inputs.add(values["id"])


def _may_run(script):
    return "src" in script or script.get("type") == "application/json"


def _assert_sound(answer):
    assert answer.status_code == 200
    page = _Page(answer.content.decode())
    assert page.heads == 1
    assert page.inputs <= page.labels
    assert page.inline == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", _PUBLIC)
def test_page_for_everyone_is_sound(client, name):
    _assert_sound(client.get(reverse(name)))


@pytest.mark.parametrize("name", _OWN)
def test_page_of_the_own_account_is_sound(alice_client, name):
    alice_client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    _assert_sound(alice_client.get(reverse(name)))


@pytest.mark.django_db
def test_refused_form_keeps_its_labels_and_says_why(client):
    answer = client.post(reverse("account_login"), {"login": "x", "password": "y"})

    _assert_sound(answer)
    assert 'id="id_login_error"' in answer.content.decode()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500"])
def test_error_page_needs_no_context(name):
    page = _Page(get_template(f"{name}.html").render())

    assert page.heads == 1
    assert page.inline == []
