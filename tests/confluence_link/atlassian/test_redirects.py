"""S05: no endpoint of the other side sends us, or a token, somewhere else."""

from __future__ import annotations

import pytest

from confluence_link.atlassian import Space
from confluence_link.atlassian.cloud_api import CloudApi
from confluence_link.atlassian.data_center_api import DataCenterApi
from confluence_link.errors import ApiError
from tests.confluence_link.atlassian.wire import Reply

CLOUD_ID = "1324a887-45db-1bf4-1e99-ef0ff456d421"
SPACE = Space(space_id="7", key="DOC", name="Documents", kind="", url="")

CALLS = {
    "current_user": lambda api, call: api.current_user(call),
    "spaces": lambda api, call: api.spaces(call, "", 5),
    "space": lambda api, call: api.space(call, "DOC"),
    "pages": lambda api, call: api.pages(call, SPACE, "", 5),
    "page": lambda api, call: api.page(call, "7"),
    "search": lambda api, call: api.search(call, "type = page", "", 5),
    "create_page": lambda api, call: api.create_page(call, SPACE, "T", "<p/>", ""),
}


@pytest.fixture(params=[301, 302, 303, 307, 308])
def redirecting(request, wire):
    wire.otherwise = Reply(request.param, {}, {"Location": f"{wire.url}/elsewhere"})
    return wire


def followed(wire):
    return [asked for asked in wire.asked if asked.path == "/elsewhere"]


@pytest.mark.parametrize("what", ["identity", "reachable_sites"])
def test_s05_the_profile_and_the_sites_are_asked_for_in_one_place(
    cloud, redirecting, what
):
    with pytest.raises(ApiError):
        getattr(cloud, what)()

    assert redirecting.asked
    assert not followed(redirecting)


def test_s05_the_user_of_a_server_is_asked_for_in_one_place(data_center, redirecting):
    with pytest.raises(ApiError):
        data_center.identity()

    assert redirecting.asked
    assert not followed(redirecting)


@pytest.mark.parametrize("name", CALLS)
def test_s05_no_call_of_the_api_is_sent_on(cloud, data_center, redirecting, name):
    sides = [
        (CloudApi(redirecting.url), cloud.call(CLOUD_ID)),
        (DataCenterApi(data_center.deployment.base_url), data_center.call("")),
    ]
    for api, call in sides:
        with pytest.raises(ApiError):
            CALLS[name](api, call)

    assert redirecting.asked
    assert not followed(redirecting)
