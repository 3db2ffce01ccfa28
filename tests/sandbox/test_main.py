from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from sandbox.__main__ import settings_from


def test_environment_and_arguments_set_the_same_things():
    environment = {
        "SANDBOX_CLOUD_PORT": "0",
        "SANDBOX_REDIRECT_URI": "http://a.test/ http://b.test/",
        "SANDBOX_SMTP_PORT": "off",
    }

    settings = settings_from(["--client-id", "given"], environment)

    assert settings.cloud.port == 0
    assert settings.cloud.client.client_id == "given"
    assert settings.cloud.client.redirect_uris == ["http://a.test/", "http://b.test/"]
    assert settings.smtp_port is None
    assert [one.port for one in settings.data_centers] == [8102]


def test_each_data_center_port_is_a_server():
    arguments = ["--data-center-port", "0", "--data-center-port", "0"]

    assert len(settings_from(arguments, {}).data_centers) == 2


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_process_prints_its_urls_and_ends_cleanly(ending):
    ports = ["--cloud-port", "0", "--data-center-port", "0", "--smtp-port", "0"]
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "sandbox", *ports],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        urls = json.loads(process.stdout.readline())
        process.send_signal(ending)
        _, errors = process.communicate(timeout=10)

    assert urls["cloud"]["token_url"].endswith("/oauth/token")
    assert urls["data_centers"][0]["base_url"].endswith("/confluence")
    assert (process.returncode, errors) == (0, "")
