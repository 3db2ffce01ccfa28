"""`python -m sandbox`: runs the sandbox until it is told to stop, and prints one
line of JSON with its URLs once it listens."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from collections.abc import Mapping, Sequence

from sandbox.sandbox import running
from sandbox.settings import (
    CLOUD_SCOPES,
    ClientRegistration,
    CloudBehaviour,
    CloudSettings,
    DataCenterBehaviour,
    DataCenterSettings,
    Settings,
)


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Each option can also be set as `SANDBOX_` and its name in capitals;
    repeatable ones then are separated by spaces."""
    options = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)

    def option(flag: str, default: str, help: str, *, repeatable: bool = False) -> None:
        variable = "SANDBOX_" + flag.removeprefix("--").upper().replace("-", "_")
        value = environment.get(variable, default)
        text = f"{help} [{variable}, default: {default or 'none'}]"
        if repeatable:
            options.add_argument(flag, action="append", help=text)
            options.set_defaults(**{f"default_{_name(flag)}": value.split()})
        else:
            options.add_argument(flag, default=value, help=text)

    option("--host", "127.0.0.1", "loopback address to listen on")
    option("--cloud-port", "8101", "0 takes a free port")
    option(
        "--data-center-port",
        "8102",
        "0 takes a free port; one server per port",
        repeatable=True,
    )
    option("--smtp-port", "8125", "0 takes a free port, 'off' leaves the mailbox out")
    option("--access-token-seconds", "3600", "life of access tokens")
    option("--client-id", "sandbox-cloud-client", "of the app at Cloud")
    option("--client-secret", "sandbox-cloud-secret", "of the app at Cloud")
    option("--redirect-uri", "", "callback registered at Cloud", repeatable=True)
    option("--scopes", CLOUD_SCOPES, "scopes that the app at Cloud has")
    option(
        "--data-center-client-id", "sandbox-data-center-client", "of the incoming link"
    )
    option(
        "--data-center-client-secret",
        "sandbox-data-center-secret",
        "of the incoming link",
    )
    option(
        "--data-center-redirect-uri",
        "",
        "callback registered at each Data Center",
        repeatable=True,
    )
    return options


def _name(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def settings_from(
    arguments: Sequence[str] | None, environment: Mapping[str, str]
) -> Settings:
    given = parser(environment).parse_args(arguments)

    def repeated(name: str) -> list[str]:
        values: list[str] = getattr(given, name) or getattr(given, f"default_{name}")
        return values

    seconds = float(given.access_token_seconds)
    cloud_client = ClientRegistration(
        given.client_id, given.client_secret, repeated("redirect_uri"), given.scopes
    )
    smtp_port = None if given.smtp_port == "off" else int(given.smtp_port)
    return Settings(
        host=given.host,
        cloud=CloudSettings(
            cloud_client,
            int(given.cloud_port),
            CloudBehaviour(access_token_seconds=seconds),
        ),
        data_centers=[
            DataCenterSettings(
                ClientRegistration(
                    given.data_center_client_id,
                    given.data_center_client_secret,
                    repeated("data_center_redirect_uri"),
                    "WRITE",
                ),
                int(port),
                behaviour=DataCenterBehaviour(access_token_seconds=seconds),
            )
            for port in repeated("data_center_port")
        ],
        smtp_port=smtp_port,
    )


def main() -> None:
    settings = settings_from(None, os.environ)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(settings) as sandbox:
        print(json.dumps(sandbox.urls()), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
