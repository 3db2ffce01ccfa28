"""A client of the sandbox in a few lines: consent without a browser, exchange,
refresh, and calls, all over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import requests

from sandbox.cloud.people import NORTHWIND
from sandbox.cloud.state import Cloud
from sandbox.data_center.state import DataCenter
from sandbox.settings import CLOUD_SCOPES

CALLBACK = "http://127.0.0.1:9/callback"


def returned(response):
    """The parameters that the browser would carry to the callback."""
    location = response.headers["Location"]
    assert response.status_code == 302
    assert location.startswith(CALLBACK)
    query = parse_qs(urlsplit(location).query)
    return {name: values[0] for name, values in query.items()}


def bearer(answer):
    return {"Authorization": f"Bearer {answer['access_token']}"}


@dataclass
class CloudFlow:
    part: Cloud
    http: requests.Session

    def asked(self, **changes):
        return {
            "audience": "api.atlassian.com",
            "client_id": self.part.client.client_id,
            "scope": CLOUD_SCOPES,
            "redirect_uri": CALLBACK,
            "state": "the-state",
            "response_type": "code",
            "prompt": "consent",
            **changes,
        }

    def authorize(self, **changes):
        return self.http.get(
            f"{self.part.url}/authorize",
            params=self.asked(**changes),
            allow_redirects=False,
        )

    def decide(self, account="alice", site="northwind", decision="accept", **changes):
        own = {"account": account, "site": site, "decision": decision}
        return self.http.post(
            f"{self.part.url}/authorize",
            data={**self.asked(**changes), **own},
            allow_redirects=False,
        )

    def token(self, **fields):
        client = self.part.client
        return self.http.post(
            f"{self.part.url}/oauth/token",
            json={
                "client_id": client.client_id,
                "client_secret": client.client_secret,
                **fields,
            },
            allow_redirects=False,
        )

    def exchange(self, code, **fields):
        return self.token(
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            **fields,
        )

    def refresh(self, refresh_token, **fields):
        return self.token(
            grant_type="refresh_token", refresh_token=refresh_token, **fields
        )

    def linked(self, **changes):
        """The token answer after consent."""
        return self.exchange(returned(self.decide(**changes))["code"]).json()

    def get(self, path, answer, **params):
        return self.http.get(
            self.part.url + path, headers=bearer(answer), params=params
        )

    def call(self, path, answer, site=NORTHWIND, method="GET", **options):
        url = f"{self.part.url}/ex/confluence/{site.id}/wiki{path}"
        return self.http.request(method, url, headers=bearer(answer), **options)


@dataclass
class DataCenterFlow:
    part: DataCenter
    http: requests.Session

    def asked(self, **changes):
        return {
            "client_id": self.part.client.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "WRITE",
            "state": "the-state",
            **changes,
        }

    def authorize(self, version="latest", **changes):
        return self.http.get(
            f"{self.part.url}/rest/oauth2/{version}/authorize",
            params=self.asked(**changes),
            allow_redirects=False,
        )

    def decide(self, username="dora", decision="allow", **changes):
        own = {"username": username, "decision": decision}
        return self.http.post(
            f"{self.part.url}/plugins/servlet/oauth2/consent",
            data={**self.asked(**changes), **own},
            allow_redirects=False,
        )

    def token(self, **fields):
        client = self.part.client
        return self.http.post(
            f"{self.part.url}/rest/oauth2/latest/token",
            data={
                "client_id": client.client_id,
                "client_secret": client.client_secret,
                "redirect_uri": CALLBACK,
                **fields,
            },
        )

    def exchange(self, code, **fields):
        return self.token(grant_type="authorization_code", code=code, **fields)

    def refresh(self, refresh_token, **fields):
        return self.token(
            grant_type="refresh_token", refresh_token=refresh_token, **fields
        )

    def linked(self, **changes):
        return self.exchange(returned(self.decide(**changes))["code"]).json()

    def call(self, path, answer=None, method="GET", **options):
        headers = {**(bearer(answer) if answer else {}), **options.pop("headers", {})}
        return self.http.request(
            method, self.part.url + path, headers=headers, **options
        )
