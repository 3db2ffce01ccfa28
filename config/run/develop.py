"""`make run`, `make worker` and `make beat`: one process, settings as they are.

Only `DEBUG` has another default here: on, since a developer starts them.
"""

from __future__ import annotations

import os
import subprocess
import sys

from config.env import BASE_DIR, env
from config.run import programs

VAR = BASE_DIR / "var"


def site() -> list[str]:
    subprocess.run(programs.manage("migrate"), check=True)
    subprocess.run(programs.manage("sync_cloud_app"), check=True)
    public_url = env.str("PUBLIC_URL", default="http://127.0.0.1:8000")
    return programs.developed_site(programs.listen_address(public_url))


def worker() -> list[str]:
    return programs.worker()


def beat() -> list[str]:
    print("Beat runs, and says nothing while all is well.", flush=True)
    return programs.beat(VAR)


def main(name: str) -> None:
    os.chdir(BASE_DIR)
    for directory in (VAR, BASE_DIR / "staticfiles"):
        directory.mkdir(exist_ok=True)
    os.environ.setdefault("DEBUG", "1")
    try:
        command = {"site": site, "worker": worker, "beat": beat}[name]()
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
    # It takes this process's place, so that signals reach it without a detour.
    os.execv(command[0], command)  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1])
