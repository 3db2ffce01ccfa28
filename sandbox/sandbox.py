"""Puts the parts together and runs them: the servers live in threads of the
process that asks, so a test can look at their state and make them fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from sandbox.clock import Clock
from sandbox.cloud.app import create_app as create_cloud_app
from sandbox.cloud.state import Cloud
from sandbox.control import blueprint as control
from sandbox.data_center.app import create_app as create_data_center_app
from sandbox.data_center.state import DataCenter
from sandbox.http_server import HTTPServer
from sandbox.mailbox import Mailbox
from sandbox.mailbox_pages import blueprint as mailbox_pages
from sandbox.part import Part
from sandbox.settings import Settings
from sandbox.start_page import blueprint as start_page


class Sandbox:
    """`cloud`, `data_centers`, `mailbox`; URLs are known after `start`."""

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None):
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        cloud = self.settings.cloud
        self.cloud = Cloud("cloud", cloud.client, cloud.behaviour, self.clock)
        self.data_centers = [
            DataCenter(_data_center_name(number), one, self.clock)
            for number, one in enumerate(self.settings.data_centers, start=1)
        ]
        self.mailbox = Mailbox()
        self._servers: list[HTTPServer] = []

    @property
    def data_center(self) -> DataCenter:
        """The first one."""
        return self.data_centers[0]

    @property
    def parts(self) -> dict[str, Cloud | DataCenter]:
        everyone: list[Cloud | DataCenter] = [self.cloud, *self.data_centers]
        return {part.name: part for part in everyone}

    def start(self) -> None:
        """Listen. Cloud's port also has the pages about the sandbox itself."""
        settings = self.settings
        cloud = create_cloud_app(self.cloud)
        cloud.register_blueprint(control(self))
        cloud.register_blueprint(start_page(self))
        cloud.register_blueprint(mailbox_pages(self.mailbox))
        self.cloud.url = self._serve(cloud, self.cloud, settings.cloud.port)
        for part, one in zip(self.data_centers, settings.data_centers, strict=True):
            server = create_data_center_app(part)
            part.url = self._serve(server, part, one.port) + one.context_path
        if settings.smtp_port is not None:
            self.mailbox.start(settings.host, settings.smtp_port)

    def _serve(self, app: Flask, part: Part[Any], port: int) -> str:
        host = self.settings.host
        server = HTTPServer(app, part.faults, host=host, port=port)
        self._servers.append(server)
        return f"http://{host}:{server.start()}"

    def stop(self) -> None:
        self.mailbox.stop()
        while self._servers:
            self._servers.pop().stop()

    def reset(self) -> None:
        self.clock.reset()
        self.mailbox.clear()
        for part in self.parts.values():
            part.reset()

    def urls(self) -> dict[str, object]:
        """What a client has to be configured with."""
        cloud = self.cloud.url
        return {
            "start_page": f"{cloud}/",
            "mailbox": f"{cloud}/mailbox",
            "control": f"{cloud}/_sandbox/",
            "smtp": {"host": self.settings.host, "port": self.mailbox.port},
            "cloud": {
                "authorize_url": f"{cloud}/authorize",
                "token_url": f"{cloud}/oauth/token",
                "api_url": cloud,
                "client_id": self.cloud.client.client_id,
            },
            "data_centers": [
                {
                    "name": part.name,
                    "base_url": part.url,
                    "client_id": part.client.client_id,
                }
                for part in self.data_centers
            ],
        }


def _data_center_name(number: int) -> str:
    return "data-center" if number == 1 else f"data-center-{number}"


@contextmanager
def running(
    settings: Settings | None = None, *, clock: Clock | None = None
) -> Iterator[Sandbox]:
    """A started sandbox on free ports, stopped at the end."""
    sandbox = Sandbox(settings, clock)
    try:
        sandbox.start()
        yield sandbox
    finally:
        sandbox.stop()
