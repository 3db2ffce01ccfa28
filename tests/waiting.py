"""Two flows at the same moment: the second meets what the first has not committed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")


def while_it_waits(act: Callable[[], Found], change: Callable[[], object]) -> Found:
    """What `act` gives that meets an uncommitted change."""
    arrived = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change()
            worker = pool.submit(_in_a_thread, act, arrived)
            # SQLite keeps it waiting at the beginning of its transaction.
            arrived.wait(0.5)
        return worker.result(timeout=30)


def _in_a_thread(work: Callable[[], Found], arrived: threading.Event) -> Found:
    """Runs `work`, and says when it begins to ask the database for locks."""

    def signal(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "FOR UPDATE" in sql or "FOR NO KEY" in sql or sql.startswith("BEGIN"):
            arrived.set()
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(signal):
            return work()
    finally:
        connection.close()
