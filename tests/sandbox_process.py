"""The sandbox as a process of its own, asked over its control API."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests

from config.env import BASE_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLIENT_ID, CLIENT_SECRET = "sandbox-cloud-client", "sandbox-cloud-secret"
DATA_CENTER_CLIENT_ID = "sandbox-data-center-client"
DATA_CENTER_CLIENT_SECRET = "sandbox-data-center-secret"
PARTS = ("cloud", "data-center")


class SandboxProcess:
    """`urls` is what it printed when it listened."""

    def __init__(self, urls: Mapping[str, Any]) -> None:
        self.urls = urls
        self.cloud_url: str = urls["cloud"]["api_url"]
        self.data_center_url: str = urls["data_centers"][0]["base_url"]
        self.smtp_port: int = urls["smtp"]["port"]

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = requests.request(
            method, f"{self.cloud_url}/_sandbox{path}", json=body, timeout=5
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def register_callbacks(self, public_url: str) -> None:
        for part, provider_id in zip(PARTS, ("cloud", "wiki"), strict=True):
            path = f"/accounts/confluence/{provider_id}/login/callback/"
            self.ask(
                "POST", f"/{part}/redirect-uris", {"redirect_uri": public_url + path}
            )

    def state(self, part: str) -> dict[str, Any]:
        """Behaviour, faults, statistics and families."""
        answer: dict[str, Any] = self.ask("GET", f"/{part}")
        return answer

    def now(self) -> float:
        """By its own clock, in seconds."""
        return float(self.ask("GET", "/")["now"])

    def count(self, part: str, name: str) -> int:
        return int(self.state(part)["statistics"].get(name, 0))

    def mails(self, to: str = "") -> list[dict[str, Any]]:
        """Of one recipient or, without one, all of them; the newest first."""
        asked = {"to": to} if to else {}
        answer = requests.get(f"{self.cloud_url}/mailbox.json", params=asked, timeout=5)
        mails: list[dict[str, Any]] = answer.json()
        return mails

    def settings(self) -> dict[str, str]:
        """The variables of an installation whose Cloud this is."""
        return {
            "CONFLUENCE_CLOUD_CLIENT_ID": CLIENT_ID,
            "CONFLUENCE_CLOUD_CLIENT_SECRET": CLIENT_SECRET,
            "CONFLUENCE_CLOUD_AUTHORIZE_URL": f"{self.cloud_url}/authorize",
            "CONFLUENCE_CLOUD_TOKEN_URL": f"{self.cloud_url}/oauth/token",
            "CONFLUENCE_CLOUD_API_URL": self.cloud_url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.smtp_port}",
        }


@contextmanager
def sandbox_process(*, access_token_seconds: int = 60) -> Iterator[SandboxProcess]:
    """Listens on free ports until the end of the block."""
    ports = ("--cloud-port", "--data-center-port", "--smtp-port")
    options = [word for option in ports for word in (option, "0")]
    life = ["--access-token-seconds", str(access_token_seconds)]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", *options, *life],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield SandboxProcess(json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
