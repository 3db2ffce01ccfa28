from __future__ import annotations

from xml.etree import ElementTree

import pytest


@pytest.mark.parametrize(
    ("state", "status"),
    [("RUNNING", 200), ("STARTING", 200), ("MAINTENANCE", 503), ("ERROR", 500)],
)
def test_status_tells_the_state_in_the_body(data_center, state, status):
    data_center.part.behaviour.change({"state": state})

    response = data_center.call("/status")

    assert response.status_code == status
    assert response.json() == {"state": state}


def test_manifest_is_xml_or_json(data_center):
    data_center.part.behaviour.change({"server_version": "7.13.2"})
    path = "/rest/applinks/1.0/manifest"

    as_xml = ElementTree.fromstring(data_center.call(path).text)  # noqa: S314
    as_json = data_center.call(path, headers={"Accept": "application/json"}).json()

    assert as_xml.findtext("version") == as_json["version"] == "7.13.2"
    assert as_json["typeId"] == "confluence"
    assert as_json["url"] == data_center.part.url


def test_people_can_browse(data_center):
    assert "/confluence/display/TEAM" in data_center.call("/").text
    assert "Handbook" in data_center.call("/display/TEAM").text
    assert data_center.call("/display/NONE").status_code == 404
    assert data_center.call("/pages/viewpage.action?pageId=1").status_code == 404
    assert data_center.call("/avatar/dora.svg").status_code == 200
