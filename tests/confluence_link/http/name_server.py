"""A real name server on the loopback address that says what a test wants."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dnslib import CNAME, QTYPE, RR, A, DNSError, DNSRecord
from dnslib.server import DNSLogger, DNSServer

SECONDS = 5


class NameServer:
    """Answers to each question in turn; the last answer of a name stays."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._answers: dict[str, list[list[str]]] = {}
        self._server = DNSServer(
            self, address="127.0.0.1", port=0, logger=DNSLogger(log="-request,-reply")
        )
        self.port: int = self._server.server.server_address[1]

    def answer(self, name: str, *in_turn: str) -> None:
        """Addresses, separated by blanks, or `alias:` and another name."""
        self._answers[name] = [answer.split() for answer in in_turn]

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        """Called by dnslib for every question."""
        name = str(request.q.qname).rstrip(".")
        self.asked[name] += 1
        reply = request.reply()
        for value in self._next(name):
            alias = value.removeprefix("alias:")
            data = A(value) if alias == value else CNAME(alias)
            kind = QTYPE.A if alias == value else QTYPE.CNAME
            reply.add_answer(RR(name, kind, rdata=data, ttl=0))
        return reply

    def _next(self, name: str) -> list[str]:
        answers = self._answers.get(name, [[]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def start(self) -> None:
        # Its own start_thread takes half a second to stop.
        self._thread = threading.Thread(
            target=self._server.server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.stop()
        self._thread.join(timeout=5)
        self._server.server.server_close()


def asking(server: NameServer) -> Callable[[str, int], list[str]]:
    """A resolver that asks this name server over UDP, and follows a few aliases."""

    def resolve(host: str, port: int, aliases: int = 8) -> list[str]:
        if not aliases:
            raise OSError
        question = DNSRecord.question(host, "A")
        try:
            packet = question.send("127.0.0.1", server.port, timeout=SECONDS)
        except DNSError as error:
            raise OSError from error
        found: list[str] = []
        for record in DNSRecord.parse(packet).rr:
            if record.rtype == QTYPE.CNAME:
                found += resolve(str(record.rdata.label).rstrip("."), port, aliases - 1)
            else:
                found.append(str(record.rdata))
        return found

    return resolve


@contextmanager
def running() -> Iterator[NameServer]:
    server = NameServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
