"""The description of the API: for programs, without a page and without a secret."""

from __future__ import annotations

import json

import pytest
from django.test import Client


@pytest.fixture
def schema(db):
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def test_it_names_the_three_operations(schema):
    named = {
        operation["operationId"]
        for operations in schema["paths"].values()
        for operation in operations.values()
    }
    assert named == {"list_linked_sites", "get_linked_site", "get_token"}


def test_every_operation_wants_a_key(schema):
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert operation["security"] == [{"KeyAuth": []}]
    scheme = schema["components"]["securitySchemes"]["KeyAuth"]
    assert scheme == {"type": "http", "scheme": "bearer"}


def test_errors_are_problems(schema):
    token = schema["paths"]["/api/v1/linked-sites/{site_id}/token"]["post"]
    for status, answer in token["responses"].items():
        kind = "application/json" if status == "200" else "application/problem+json"
        assert list(answer["content"]) == [kind]


@pytest.mark.parametrize(
    "word", ["refresh_token", "client_secret", "sealed", "password", "key_hash"]
)
def test_a20_no_schema_has_a_secret(schema, word):
    assert word not in json.dumps(schema)
