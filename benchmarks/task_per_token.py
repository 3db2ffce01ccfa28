"""The usual hand-written answer: a row for each token, a Celery task for each row.

`celery --app benchmarks.task_per_token worker` runs it. It is written as such programs
are, and to its favour where there was a choice: tokens lie in plain text, connections
to the database are kept, the task that finds what is due runs once and doubles
nothing, nothing is recorded, and a failure is nobody's business.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any, ClassVar

import django
import environ
import requests
from celery import Celery
from celery.signals import worker_ready
from django.conf import settings
from django.db import models
from django.utils import timezone

if not settings.configured:
    settings.configure(
        DATABASES={
            "default": {
                **environ.Env.db_url_config(os.environ["DATABASE_URL"]),
                "CONN_MAX_AGE": 60,
            }
        },
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()

# Not the current one: whoever measures it knows another.
app = Celery("task_per_token", broker=os.environ["REDIS_URL"], set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"global_keyprefix": "task_per_token:"},
)


class Token(models.Model):
    """`subject` is for the benchmark: whose tokens these are."""

    subject = models.CharField(max_length=40)
    access_token = models.TextField()
    refresh_token = models.TextField()
    expires_at = models.DateTimeField(db_index=True)
    scopes = models.JSONField(default=list)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager[Token]] = models.Manager()

    class Meta:
        app_label = "task_per_token"

    def __str__(self) -> str:
        return self.subject


@app.task
def refresh_due() -> None:
    """What beat would start every few minutes."""
    soon = timezone.now() + timedelta(minutes=10)
    for pk in Token.objects.filter(expires_at__lte=soon).values_list("pk", flat=True):
        refresh.delay(pk)


@app.task
def refresh(pk: int) -> None:
    token = Token.objects.get(pk=pk)
    response = requests.post(
        os.environ["CONFLUENCE_CLOUD_TOKEN_URL"],
        json={
            "grant_type": "refresh_token",
            "client_id": os.environ["CONFLUENCE_CLOUD_CLIENT_ID"],
            "client_secret": os.environ["CONFLUENCE_CLOUD_CLIENT_SECRET"],
            "refresh_token": token.refresh_token,
        },
        timeout=30,
    )
    response.raise_for_status()
    answer = response.json()
    token.access_token = answer["access_token"]
    token.refresh_token = answer["refresh_token"]
    token.expires_at = timezone.now() + timedelta(seconds=answer["expires_in"])
    token.scopes = answer["scope"].split()
    token.save()


@worker_ready.connect
def tell(**kwargs: Any) -> None:
    print(" ready.", flush=True)
