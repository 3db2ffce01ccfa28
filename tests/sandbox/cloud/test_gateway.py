from __future__ import annotations

import pytest

from sandbox.cloud.people import RIVERSIDE, TICKETS


def test_unknown_token_is_unauthorized(cloud):
    response = cloud.call("/api/v2/spaces", {"access_token": "CNRY-no"})

    assert response.status_code == 401
    assert response.json() == {"code": 401, "message": "Unauthorized"}


def test_v2_refuses_classic_scopes_with_the_gateways_words(cloud):
    answer = cloud.linked(scope="read:confluence-content.all read:me")

    response = cloud.call("/api/v2/pages", answer)

    assert response.status_code == 401
    assert response.json()["message"] == "Unauthorized; scope does not match"
    failure = response.headers["X-Failure-Category"]
    assert failure == "FAILURE_CLIENT_SCOPE_CHECK"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_expired_token_is_refused_as_configured_and_counted(cloud, box, status):
    cloud.part.behaviour.change({"expired_status": status})
    answer = cloud.linked()
    box.clock.advance(3601)

    response = cloud.call("/api/v2/spaces", answer)

    assert response.status_code == status
    assert cloud.part.statistics["api.expired"] == 1
    assert cloud.part.families()[0]["calls_refused_as_expired"] == 1


def test_site_outside_the_grant_is_not_found(cloud):
    answer = cloud.linked(site="northwind")

    assert cloud.call("/api/v2/spaces", answer, site=RIVERSIDE).status_code == 404


def test_site_without_confluence_is_forbidden(cloud):
    answer = cloud.linked(site="tickets")

    response = cloud.call("/api/v2/spaces", answer, site=TICKETS)

    assert response.status_code == 403
    message = response.json()["message"]
    assert message == "Current user not permitted to use Confluence"


def test_answers_carry_the_rate_limit(cloud):
    headers = cloud.call("/api/v2/spaces", cloud.linked()).headers

    assert headers["X-RateLimit-Limit"] == "65000"
    assert headers["X-RateLimit-Remaining"] == str(65_000 - 1 - 25)
    assert headers["X-RateLimit-NearLimit"] == "false"


def test_spent_budget_is_refused_until_the_hour_is_over(cloud, box):
    cloud.part.behaviour.change({"points_per_hour": 1})
    answer = cloud.linked()
    cloud.call("/api/v2/spaces", answer)

    refused = cloud.call("/api/v2/spaces", answer)
    box.clock.advance(int(refused.headers["Retry-After"]))
    later = cloud.refresh(answer["refresh_token"]).json()

    assert refused.status_code == 429
    assert refused.headers["RateLimit-Reason"].startswith("confluence-quota")
    assert cloud.call("/api/v2/spaces", later).status_code == 200


def test_token_is_refused_on_the_site_host(cloud):
    answer = cloud.linked()
    resource = cloud.get("/oauth/token/accessible-resources", answer).json()[0]
    path = resource["url"].removeprefix(cloud.part.url) + "/wiki/api/v2/spaces"

    assert cloud.get(path, answer).status_code == 401
