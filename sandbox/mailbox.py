"""A mail server that keeps what it gets, so that a demo needs no real one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

MOST_MAILS = 1000


@dataclass(frozen=True)
class Mail:
    received_at: float
    sender: str
    recipients: list[str]
    subject: str
    text: str


class Mailbox:
    """The SMTP server has an event loop and a thread of its own."""

    def __init__(self) -> None:
        self.port: int | None = None
        self._lock = threading.Lock()
        self._mails: list[Mail] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, host: str, port: int) -> None:
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(
            loop.create_server(lambda: SMTP(self, loop=loop), host, port)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._loop = loop
        self._thread = threading.Thread(
            target=self._run, args=(loop, server), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop = self._thread = None

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop, server: asyncio.Server) -> None:
        loop.run_forever()
        server.close()
        sessions = asyncio.all_tasks(loop)
        for session in sessions:
            session.cancel()
        ended: Coroutine[Any, Any, Any] = _gather(sessions)
        loop.run_until_complete(ended)
        loop.close()

    async def handle_DATA(
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """aiosmtpd's hook for a mail that is complete."""
        mail = _read(envelope)
        with self._lock:
            self._mails = [mail, *self._mails][:MOST_MAILS]
        return "250 Message accepted for delivery"

    def mails(self, to: str | None = None) -> list[Mail]:
        """Newest first."""
        with self._lock:
            return [m for m in self._mails if to is None or to in m.recipients]

    def clear(self) -> None:
        with self._lock:
            self._mails.clear()


async def _gather(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


def _read(envelope: Envelope) -> Mail:
    content = envelope.content or b""
    raw = content.encode() if isinstance(content, str) else content
    message = message_from_bytes(raw, EmailMessage, policy=policy.default)
    body = message.get_body(preferencelist=("plain",))
    return Mail(
        received_at=time.time(),
        sender=envelope.mail_from or "",
        recipients=list(envelope.rcpt_tos),
        subject=str(message.get("Subject", "")),
        text=str(body.get_content()) if body else "",
    )
