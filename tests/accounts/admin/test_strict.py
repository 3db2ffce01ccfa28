"""Hand-made addresses and forms of the admin end calmly."""

from __future__ import annotations

import pytest

from tests import factories

NO_ROW = ["x", "9" * 40, "9" * 12, "-1", "1.5", "\x00"]
APPS = "/admin/confluence_link/oauthapp/"
ORGANIZATIONS = "/admin/accounts/organization/"


def test_an_address_that_names_no_row_for_a_new_one_is_refused(admin_client):
    for value in NO_ROW:
        answer = admin_client.get(f"{APPS}add/", {"organization": value})
        assert answer.status_code == 400


def test_an_address_that_names_a_row_for_a_new_one_is_followed(
    admin_client, organization
):
    answer = admin_client.get(f"{APPS}add/", {"organization": organization.pk})
    assert answer.status_code == 200
    assert f'value="{organization.pk}" selected' in answer.content.decode()


@pytest.mark.parametrize("value", NO_ROW)
def test_a_form_that_names_no_row_is_refused(admin_client, organization, value):
    app, person = factories.make_oauth_app(), factories.make_user()
    inline = {
        "name": "x",
        "slug": "x",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
    }
    for url, form in {
        f"{APPS}add/": {"organization": value},
        f"{APPS}{app.pk}/change/": {"organization": value},
        f"{ORGANIZATIONS}add/": {**inline, "memberships-0-user": value},
        f"{ORGANIZATIONS}{organization.pk}/change/": {
            **inline,
            "memberships-0-id": value,
        },
        f"/admin/accounts/user/{person.pk}/change/": {"groups": value},
    }.items():
        assert admin_client.post(url, form).status_code == 400


@pytest.mark.parametrize("term", ["", "Alice", "\x01", "%", "9" * 40])
def test_organizations_are_offered_while_one_types(admin_client, organization, term):
    asked = {
        "app_label": "confluence_link",
        "model_name": "oauthapp",
        "field_name": "organization",
        "term": term,
    }
    assert admin_client.get("/admin/autocomplete/", asked).status_code == 200
