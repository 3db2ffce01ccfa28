"""Celery's entry points. Messages are hints with ids; the rows are the queue."""

from __future__ import annotations

import logging
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from celery import current_app, shared_task

from accounts import invitations
from confluence_link import (
    events,
    linking,
    notices,
    personal_data,
    refresh,
    servers,
    tallies,
)
from confluence_link.models import database_now

if TYPE_CHECKING:
    from kombu import Connection

logger = logging.getLogger(__name__)

# Queues beside the default one, so that neither a long batch nor a server that hangs
# keeps sweeps and mails waiting; `CELERY_TASK_QUEUES` has them all.
CLOUD_QUEUE, SERVERS_QUEUE = "cloud", "servers"
# No message of ours expires: Celery would compare the clocks of two hosts. So many may
# wait in a queue; by then nobody takes them, and one more would help nobody.
WAITING_AT_MOST = 1_000


@shared_task
def sweep() -> None:
    """Finds what is due and hands it out."""
    full: set[str] = set()
    found = refresh.sweep(
        enqueue=partial(_enqueue, CLOUD_QUEUE, full),
        enqueue_at_server=partial(_enqueue, SERVERS_QUEUE, full),
    )
    logger.debug("sweep found=%d", found)


@shared_task
def refresh_batch(ids: list[int]) -> None:
    """Refreshes these grants, as far as they are due, free and not sent anew."""
    outcomes = refresh.refresh_batch(refresh.still_handed_out(ids))
    counts = Counter(map(str, outcomes))
    logger.info("batch asked=%d done=%s", len(ids), dict(sorted(counts.items())))


def _enqueue(queue: str, full: set[str], ids: list[int]) -> None:
    """What is not sent stays due, and is handed out again when its mark is over.

    `full` is what this sweep knows of the queues.
    """
    if queue in full:
        return
    with current_app.connection_or_acquire() as connection:
        if is_full(queue, connection):
            full.add(queue)
            return
    refresh_batch.apply_async(args=(ids,), queue=queue)


def is_full(queue: str, connection: Connection) -> bool:
    """Whether so many messages wait there that no more should be sent.

    A broker that cannot be asked is not full: sending tries to reach it again.
    """
    try:
        connection.ensure_connection(
            max_retries=1, interval_start=0, reraise_as_library_errors=False
        )
        declared: Any = current_app.amqp.queues[queue].queue_declare(
            channel=connection.default_channel
        )
    except connection.connection_errors + connection.channel_errors:
        return False
    is_full: bool = declared.message_count >= WAITING_AT_MOST
    if is_full:
        logger.warning("queue %s is full: no worker takes its messages", queue)
    return is_full


@shared_task
def purge() -> None:
    """Erases what was pending for too long, and what nobody asks for any more.

    And puts right what two transactions at the same instant left behind.
    """
    linking.purge()
    servers.purge()
    invitations.purge(now=database_now())
    refresh.forget_predecessors()
    tallies.purge()
    events.purge()
    linking.follow_all()


@shared_task
def send_notices() -> None:
    """Mails what people should know."""
    notices.send_pending()


@shared_task
def remind_of_ends() -> None:
    """Records which grants end soon; their people get mails about it."""
    told = notices.remind()
    if told:
        logger.info("reminders of ends=%d", told)


@shared_task
def report_accounts() -> None:
    """Tells Atlassian which accounts are stored, as far as that is due."""
    counts = personal_data.report_accounts()
    if counts:
        logger.info("accounts %s", sorted(counts.items()))
