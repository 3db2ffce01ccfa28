"""What is exchanged over real HTTP, in which form, and what is shown of it."""

from __future__ import annotations

import json
import pickle
from urllib.parse import parse_qs

import pytest

from confluence_link.models import OAuthApp
from tests import grants
from tests.confluence_link.token_endpoint.exchanges import (
    CLOUD,
    DATA_CENTER,
    VERIFIER,
    answer_with,
    endpoint_of,
    error,
    exchange_code,
    make_cloud,
    make_data_center,
    refresh,
    refusal,
)


def test_a_cloud_code_becomes_a_token_set(cloud_app, cloud_token_set):
    assert cloud_token_set.access_token.startswith("CNRY")
    assert cloud_token_set.refresh_token.startswith("CNRY")
    assert cloud_token_set.expires_in_seconds == 3600
    assert set(cloud_token_set.scopes) == set(cloud_app.scopes)


def test_a_data_center_code_becomes_a_token_set(data_center_token_set):
    assert data_center_token_set.access_token.startswith("CNRY")
    assert data_center_token_set.refresh_token.startswith("CNRY")


def test_a_refresh_token_becomes_the_next_token_set(cloud_app, cloud_token_set):
    following = refresh(cloud_app, cloud_token_set.refresh_token)

    assert following.access_token != cloud_token_set.access_token
    assert following.refresh_token != cloud_token_set.refresh_token
    assert following.scopes == cloud_token_set.scopes


def test_a_data_center_refresh_token_becomes_the_next_token_set(
    data_center_app, data_center_token_set
):
    following = refresh(data_center_app, data_center_token_set.refresh_token)

    assert following.access_token != data_center_token_set.access_token
    assert following.refresh_token != data_center_token_set.refresh_token


def test_a_used_code_is_refused(sandbox, cloud_app):
    code = grants.code_of(sandbox.cloud, cloud_app, VERIFIER, **CLOUD)
    exchange_code(cloud_app, code)

    assert refusal(exchange_code, cloud_app, code).answer == "refused"


def test_a_used_data_center_code_is_refused(sandbox, data_center_app):
    code = grants.code_of(sandbox.data_center, data_center_app, VERIFIER, **DATA_CENTER)
    exchange_code(data_center_app, code)

    assert refusal(exchange_code, data_center_app, code).answer == "refused"


def test_an_unknown_refresh_token_is_refused_by_both(cloud_app, data_center_app):
    assert refusal(refresh, cloud_app).answer == "refused"
    assert refusal(refresh, data_center_app).answer == "refused"


def test_a_wrong_client_secret_is_about_our_configuration(
    sandbox, cloud_app, data_center_app
):
    sandbox.cloud.rotate_client_secret("another")
    sandbox.data_center.rotate_client_secret("another")

    assert refusal(refresh, cloud_app).answer == "configuration"
    assert refusal(refresh, data_center_app).answer == "configuration"


def sent_to(server):
    (request,) = server.requests
    head, _, sent = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    return line, {name.lower(): value for name, _, value in split(headers)}, sent


def split(headers):
    return (header.partition(": ") for header in headers)


def test_cloud_gets_a_refresh_as_json_and_no_redirect_uri(db, recorder):
    refresh(make_cloud())

    line, headers, sent = sent_to(recorder)
    assert line == "POST /oauth/token HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert json.loads(sent) == {
        "grant_type": "refresh_token",
        "client_id": "ours",
        "client_secret": "CNRY-secret",
        "refresh_token": "CNRY-old",
    }


def test_data_center_gets_a_refresh_as_a_form_with_its_redirect_uri(db, recorder):
    refresh(make_data_center(recorder))

    line, headers, sent = sent_to(recorder)
    assert line == "POST /confluence/rest/oauth2/latest/token HTTP/1.1"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(sent.decode(), strict_parsing=True) == {
        "grant_type": ["refresh_token"],
        "client_id": ["ours"],
        "client_secret": ["CNRY-secret"],
        "refresh_token": ["CNRY-old"],
        "redirect_uri": ["http://testserver/accounts/confluence/wiki/login/callback/"],
    }


ODD = "".join(map(chr, range(0x21, 0x7F)))


def test_cloud_gets_a_refresh_token_of_odd_characters_as_it_was(db, recorder):
    refresh(make_cloud(), ODD)

    assert json.loads(sent_to(recorder)[2])["refresh_token"] == ODD


def test_data_center_gets_a_refresh_token_of_odd_characters_too(db, recorder):
    refresh(make_data_center(recorder), ODD)

    assert parse_qs(sent_to(recorder)[2].decode())["refresh_token"] == [ODD]


def test_cloud_gets_a_code_as_json_with_verifier_and_redirect_uri(db, recorder):
    exchange_code(make_cloud())

    line, _, sent = sent_to(recorder)
    assert line == "POST /oauth/token HTTP/1.1"
    assert json.loads(sent) == {
        "grant_type": "authorization_code",
        "client_id": "ours",
        "client_secret": "CNRY-secret",
        "code": "CNRY-code",
        "code_verifier": VERIFIER,
        "redirect_uri": "http://testserver/accounts/confluence/cloud/login/callback/",
    }


def test_data_center_gets_a_code_as_a_form_with_verifier_and_redirect_uri(db, recorder):
    exchange_code(make_data_center(recorder))

    line, _, sent = sent_to(recorder)
    assert "?" not in line
    assert parse_qs(sent.decode(), strict_parsing=True) == {
        "grant_type": ["authorization_code"],
        "client_id": ["ours"],
        "client_secret": ["CNRY-secret"],
        "code": ["CNRY-code"],
        "code_verifier": [VERIFIER],
        "redirect_uri": ["http://testserver/accounts/confluence/wiki/login/callback/"],
    }


def test_no_secret_is_in_the_head_of_a_request(db, recorder):
    refresh(make_cloud())

    line, headers, _ = sent_to(recorder)
    assert "CNRY" not in line + str(headers)
    assert "authorization" not in headers


def test_v10_an_endpoint_shows_and_hands_on_no_secret(db):
    endpoint = endpoint_of(make_cloud())

    assert endpoint.client_secret == "CNRY-secret"
    assert "CNRY" not in f"{endpoint} {endpoint!r}"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(endpoint)


def test_v10_no_error_leads_to_what_was_sent_or_answered(sandbox, cloud_app):
    answer_with(sandbox, error("CNRY", "CNRY"), 403)
    refused = refusal(refresh, cloud_app)

    assert refused.__cause__ is None
    assert refused.__context__ is None
    assert "CNRY" not in repr(vars(refused))


def test_an_endpoint_is_made_of_the_apps_row(db, recorder):
    endpoint = endpoint_of(make_data_center(recorder))

    assert endpoint.url == recorder.url(path="/confluence/rest/oauth2/latest/token")
    assert endpoint.body == "form"
    assert endpoint.redirect_uri == OAuthApp.objects.get().redirect_uri
