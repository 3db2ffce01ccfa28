"""Puts the parts together and runs them: the servers live in threads of the
process that asks, so a test can look at their state and make them fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.clock import Clock
from sandbox.cloud.app import create_app as create_cloud_app
from sandbox.cloud.state import Cloud
from sandbox.data_center.app import create_app as create_data_center_app
from sandbox.data_center.state import DataCenter
from sandbox.http_server import HTTPServer
from sandbox.settings import Settings


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
        self._servers: list[HTTPServer] = []

    @property
    def data_center(self) -> DataCenter:
        """The first one."""
        return self.data_centers[0]

    @property
    def parts(self) -> dict[str, Cloud | DataCenter]:
        return {part.name: part for part in (self.cloud, *self.data_centers)}

    def start(self) -> None:
        settings = self.settings
        cloud = HTTPServer(
            create_cloud_app(self.cloud),
            self.cloud.faults,
            host=settings.host,
            port=settings.cloud.port,
        )
        self._servers.append(cloud)
        self.cloud.url = f"http://{settings.host}:{cloud.start()}"
        for part, one in zip(self.data_centers, settings.data_centers, strict=True):
            server = HTTPServer(
                create_data_center_app(part),
                part.faults,
                host=settings.host,
                port=one.port,
            )
            self._servers.append(server)
            port = server.start()
            part.url = f"http://{settings.host}:{port}{one.context_path}"

    def stop(self) -> None:
        while self._servers:
            self._servers.pop().stop()

    def reset(self) -> None:
        self.clock.reset()
        for part in self.parts.values():
            part.reset()

    def urls(self) -> dict[str, object]:
        """What a client has to be configured with."""
        cloud = self.cloud.url
        return {
            "start_page": f"{cloud}/",
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
