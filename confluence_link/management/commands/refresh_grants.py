"""Refreshes what is due, once, without Celery: for cron, and when Redis is away."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from confluence_link import refresh


class Command(BaseCommand):
    help = "Refreshes what one sweep hands out; harmless beside running workers."

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes: Counter[str] = Counter()
        due = refresh.sweep(
            enqueue=lambda ids: outcomes.update(refresh.refresh_batch(ids))
        )
        told = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
        self.stdout.write(f"{due} due: {told}." if told else f"{due} due.")
