from __future__ import annotations

import threading

import pytest
import requests

from benchmarks import tokens


def test_an_exchange_gives_a_token_set_as_long_as_atlassians(exchange, first_token):
    status, answer = exchange(first_token)

    assert status == 200
    assert len(answer["access_token"]) == tokens.ACCESS_CHARACTERS
    assert len(answer["refresh_token"]) == tokens.REFRESH_CHARACTERS
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3600


def test_a_refresh_token_rotates_with_every_exchange(endpoint, exchange, first_token):
    _, first = exchange(first_token)
    status, second = exchange(first["refresh_token"])

    assert status == 200
    assert len({first_token, first["refresh_token"], second["refresh_token"]}) == 3
    assert endpoint.answered().exchanges == 2


def test_a_token_that_is_sent_twice_is_refused_and_counted(
    endpoint, exchange, first_token
):
    exchange(first_token)
    status, answer = exchange(first_token)

    assert (status, answer["error"]) == (403, "unauthorized_client")
    answered = endpoint.answered()
    assert (answered.exchanges, answered.reused, answered.unknown) == (1, 1, 0)


def test_a_token_that_it_never_gave_is_counted_apart(endpoint, exchange, first_token):
    exchange(first_token)
    named = tokens.read(first_token)
    from_the_future = tokens.refresh_token(named.subject, 7)

    for token in (from_the_future, "not-ours", first_token[:-1]):
        assert exchange(token)[0] == 403
    answered = endpoint.answered()
    assert (answered.reused, answered.unknown) == (0, 3)


def test_generations_outlive_the_statistics(endpoint, exchange, first_token):
    exchange(first_token)
    endpoint.reset()

    assert exchange(first_token)[0] == 403
    assert endpoint.answered().reused == 1


def test_it_counts_what_is_under_way_at_once(endpoint, exchange):
    endpoint.set_latency(0.3)
    threads = [
        threading.Thread(target=exchange, args=[tokens.refresh_token(f"many{n}", 1)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    answered = endpoint.answered()
    assert (answered.exchanges, answered.most_at_once) == (4, 4)
    assert sum(answered.per_second) == 4


def test_nobody_trusts_it_without_its_authority(endpoint):
    with pytest.raises(requests.exceptions.SSLError):
        requests.post(endpoint.token_url, json={}, timeout=5)
