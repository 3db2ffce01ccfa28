"""Rotation under concurrency; its rules are tested at each token endpoint."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.sandbox.flows import returned


def test_code_is_exchanged_once_however_many_try(cloud):
    code = returned(cloud.decide())["code"]

    with ThreadPoolExecutor(10) as pool:
        responses = list(pool.map(lambda _: cloud.exchange(code), range(10)))

    statuses = sorted(response.status_code for response in responses)
    assert statuses == [200] + [403] * 9
    assert len(cloud.part.families()) == 1


def test_token_without_leeway_is_exchanged_once_however_many_try(data_center):
    token = data_center.linked()["refresh_token"]

    with ThreadPoolExecutor(10) as pool:
        responses = list(pool.map(lambda _: data_center.refresh(token), range(10)))

    (family,) = data_center.part.families()
    assert sorted(r.status_code for r in responses) == [200] + [400] * 9
    assert (family["refreshes"], family["breaches"]) == (1, 9)


def test_repr_of_what_is_stored_shows_no_token(cloud):
    cloud.linked()

    store = cloud.part.store
    stored = [*store.access_tokens.values(), *store.refresh_tokens.values()]

    assert "CNRY" not in repr((stored, store.families))
