"""Celery's entry points. Messages are hints with ids; the rows are the queue."""

from __future__ import annotations

import logging
from collections import Counter
from functools import partial

from celery import shared_task

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

logger = logging.getLogger(__name__)

# Queues beside the default one, so that neither a long batch nor a server that hangs
# keeps sweeps and mails waiting; `CELERY_TASK_QUEUES` has them all.
CLOUD_QUEUE, SERVERS_QUEUE = "cloud", "servers"
# A batch that nobody took by then is due again for a later sweep.
BATCH_EXPIRES_SECONDS = 120


@shared_task
def sweep() -> None:
    """Finds what is due and hands it out."""
    found = refresh.sweep(
        enqueue=partial(_enqueue, CLOUD_QUEUE),
        enqueue_at_server=partial(_enqueue, SERVERS_QUEUE),
    )
    logger.debug("sweep found=%d", found)


@shared_task
def refresh_batch(ids: list[int]) -> None:
    """Refreshes these grants, as far as they are due and free."""
    outcomes = refresh.refresh_batch(ids)
    counts = Counter(map(str, outcomes))
    logger.info("batch asked=%d done=%s", len(ids), dict(sorted(counts.items())))


def _enqueue(queue: str, ids: list[int]) -> None:
    refresh_batch.apply_async(args=(ids,), queue=queue, expires=BATCH_EXPIRES_SECONDS)


@shared_task
def purge() -> None:
    """Erases what was pending for too long, and what nobody asks for any more."""
    linking.purge()
    servers.purge()
    invitations.purge(now=database_now())
    refresh.forget_predecessors()
    tallies.purge()
    events.purge()


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
