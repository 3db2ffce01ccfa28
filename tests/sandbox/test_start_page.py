from __future__ import annotations

import pytest

from sandbox.start_page import PERSON_SWITCHES, SWITCHES


def test_page_says_what_this_is(box, http):
    page = http.get(f"{box.cloud.url}/").text

    assert "this is not Atlassian" in page
    assert "Alice Adams" in page
    assert box.data_center.url in page


@pytest.mark.parametrize("part", ["cloud", "data-center"])
@pytest.mark.parametrize("switch", [*SWITCHES, *PERSON_SWITCHES])
def test_every_switch_leads_back(box, http, part, switch):
    url = f"{box.cloud.url}/switch/{part}"
    account = next(iter(box.parts[part].logins()))

    response = http.post(url, data={"switch": switch, "account": account})

    assert response.status_code == 200
    assert f'id="{part}-{switch}' in response.text


def test_switch_sets_a_fault(box, http, cloud):
    http.post(f"{box.cloud.url}/switch/cloud", data={"switch": "token-down"})

    assert cloud.refresh("x").status_code == 500


def test_redirect_uri_is_registered(box, http):
    uri = "http://127.0.0.1:9/from-the-page"

    http.post(f"{box.cloud.url}/switch/cloud", data={"redirect_uri": f" {uri} "})

    assert uri in box.cloud.client.redirect_uris
    box.cloud.client.redirect_uris.remove(uri)
