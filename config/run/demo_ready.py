"""Says where everything is, once everything answers; then waits for the end."""

from __future__ import annotations

import os
import signal
import time

from config.celery_app import app
from config.run import demo_environment, ports, programs


def main() -> None:
    site = programs.listen_address(os.environ["PUBLIC_URL"])
    wait_for(*site)
    for name in ("CLOUD", "DATA_CENTER", "SMTP"):
        wait_for("127.0.0.1", int(os.environ[f"SANDBOX_{name}_PORT"]))
    while not app.control.ping(timeout=1):
        pass
    print(text(), flush=True)
    signal.pause()


def wait_for(host: str, port: int) -> None:
    while not ports.answers(host, port):
        time.sleep(0.2)


def text() -> str:
    site = os.environ["PUBLIC_URL"]
    life = os.environ["SANDBOX_ACCESS_TOKEN_SECONDS"]
    return f"""
Everything answers.

    Site        {site}
    Sign in as  {os.environ["DEMO_ADMIN_EMAIL"]}
    Password    {os.environ["DEMO_ADMIN_PASSWORD"]}
    Admin       {site}/admin/
    Mailbox     {os.environ["SITE_NOTICE_URL"]}
    Stand-in    {demo_environment.sandbox_url()}/

Or sign up with any address: its mail arrives in the mailbox. Link an account and
watch the worker below: tokens live {life} seconds here, and stay fresh.
Ctrl-C ends everything.
"""


if __name__ == "__main__":
    main()
