from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.faults.presets import PRESETS

ENDLESS = {"endless", "hang", "hold", "hold_after"}
UNPROCESSED = {
    "invalid_grant": 403,
    "refresh_token_is_invalid": 403,
    "wrong_secret": 401,
    "invalid_client": 401,
    "unauthorized": 401,
    "rate_limited": 429,
    "unavailable": 503,
    "server_error": 500,
    "blocked": 403,
    "login_page": 200,
}


@pytest.mark.parametrize(("preset", "status"), UNPROCESSED.items())
def test_token_endpoint_answers_without_processing(cloud, preset, status):
    answer = cloud.linked()
    cloud.part.faults.add("token", preset)

    response = cloud.refresh(answer["refresh_token"])

    cloud.part.faults.clear("token")
    assert response.status_code == status
    assert cloud.part.families()[0]["refreshes"] == 0
    assert cloud.refresh(answer["refresh_token"]).status_code == 200


def test_rate_limit_says_when_to_come_back(cloud):
    cloud.part.faults.add("token", "rate_limited", retry_after="77")

    assert cloud.refresh("x").headers["Retry-After"] == "77"


def test_redirect_leads_elsewhere(cloud):
    cloud.part.faults.add("token", "redirect", location="http://127.0.0.1:9/trap")

    response = cloud.refresh("x")

    assert response.status_code == 307
    assert response.headers["Location"] == "http://127.0.0.1:9/trap"


def test_custom_answer_is_given_as_it_is(cloud):
    cloud.part.faults.add(
        "me", "custom", status=418, body="tea", headers={"X-Pot": "1"}
    )

    response = cloud.get("/me", cloud.linked())

    assert (response.status_code, response.text) == (418, "tea")
    assert response.headers["X-Pot"] == "1"


def test_lost_answer_is_processed_and_the_old_token_still_works(cloud):
    answer = cloud.linked()
    cloud.part.faults.add("token", "drop_after", times=1)

    with pytest.raises(requests.ConnectionError):
        cloud.refresh(answer["refresh_token"])

    assert cloud.part.families()[0]["refreshes"] == 1
    assert cloud.refresh(answer["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("preset", "options"), [("drop_before", {}), ("hang", {"seconds": 0.01})]
)
def test_dropped_request_is_not_processed(cloud, preset, options):
    answer = cloud.linked()
    cloud.part.faults.add("token", preset, times=1, **options)

    with pytest.raises(requests.ConnectionError):
        cloud.refresh(answer["refresh_token"])

    assert cloud.part.families()[0]["refreshes"] == 0


@pytest.mark.parametrize("preset", ["slow", "slow_after", "drip"])
def test_slow_answer_is_honest(cloud, preset):
    cloud.part.behaviour.change({"access_token_length": 64})
    answer = cloud.linked()
    cloud.part.faults.add("token", preset, times=1, seconds=0.0001)

    assert "access_token" in cloud.refresh(answer["refresh_token"]).json()


@pytest.mark.parametrize(("preset", "processed"), [("hold", 0), ("hold_after", 1)])
def test_held_answer_comes_when_it_is_released(cloud, preset, processed):
    answer = cloud.linked()
    cloud.part.faults.add("token", preset, times=1)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(cloud.refresh, answer["refresh_token"])
        while not cloud.part.statistics[f"fault.token.{preset}"] or (
            cloud.part.families()[0]["refreshes"] < processed
        ):
            time.sleep(0.01)

        assert not held.done()
        assert cloud.part.families()[0]["refreshes"] == processed
        cloud.part.faults.release()

        assert "access_token" in held.result(timeout=10).json()


def test_endless_answer_does_not_end(cloud):
    cloud.part.faults.add("token", "endless", times=1)
    url = f"{cloud.part.url}/oauth/token"

    with cloud.http.post(url, stream=True) as response:
        some = response.raw.read(200_000)

    assert len(some) == 200_000


@pytest.mark.parametrize("preset", sorted(PRESETS.keys() - ENDLESS))
def test_every_fault_can_be_met_and_forgotten(cloud, preset):
    answer = cloud.linked()
    cloud.part.faults.add("token", preset, times=1, seconds=0)

    try:
        with cloud.http.post(
            f"{cloud.part.url}/oauth/token", data={}, stream=True
        ) as response:
            assert response.status_code
    except requests.ConnectionError:
        assert preset.startswith("drop")

    assert cloud.part.statistics[f"fault.token.{preset}"] == 1
    assert cloud.refresh(answer["refresh_token"]).status_code == 200
