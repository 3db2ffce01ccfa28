"""What `EMAIL_URL` may say, beyond what django-environ makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from config.env import BASE_DIR

TELL = (
    "import json; from config.settings import base;"
    "print(json.dumps([base.EMAIL_BACKEND.split('.')[-2], base.EMAIL_FILE_PATH]))"
)


@pytest.mark.parametrize(
    ("url", "backend", "path"),
    [
        ("filemail:///var/mails", "filebased", "/var/mails"),
        ("filemail:////var/mails", "filebased", "/var/mails"),
        ("consolemail://", "console", ""),
        ("smtp://localhost:25", "smtp", ""),
    ],
)
def test_a_folder_for_mails_is_named_from_the_root(url, backend, path):
    environment = {**os.environ, "EMAIL_URL": url}
    told = subprocess.run(
        [sys.executable, "-c", TELL],
        env=environment,
        cwd=BASE_DIR,
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert json.loads(told.stdout) == [backend, path]
