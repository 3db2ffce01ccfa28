"""Moves everything that is sealed to the first key of CONFLUENCE_LINK_VAULT_KEYS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from confluence_link import resealing, vault
from confluence_link.management.progress import Bar

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = (
        "Moves everything that is sealed to the first key of CONFLUENCE_LINK_VAULT_KEYS"
        " while the service runs. Interrupted, it goes on where it ended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        either = parser.add_mutually_exclusive_group()
        either.add_argument(
            "--dry-run",
            action="store_true",
            help="only tell how many values each key sealed",
        )
        either.add_argument(
            "--give-up",
            metavar="KEY_ID",
            help="this key is lost for good: let the service start without it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["give_up"]:
            self._give_up(options["give_up"])
            return
        if not vault.key_ids():
            raise CommandError("CONFLUENCE_LINK_VAULT_KEYS has no key.")
        if changed := vault.changed_key_ids():
            raise CommandError(f"Other bytes than before: key {', '.join(changed)}.")
        if options["dry_run"]:
            self._tell_use(resealing.use_of_keys())
            return
        self._reseal()

    def _reseal(self) -> None:
        vault.note_keys()
        bar = Bar(self.stdout, total=resealing.values_to_move())
        result = resealing.reseal(progress=bar.advance)
        bar.end()
        for name, count in sorted(result.moved.items()):
            self.stdout.write(f"{name}: {count} moved")
        self._tell_use(resealing.use_of_keys())
        self._tell_what_stayed(result)

    def _tell_use(self, use: resealing.Use) -> None:
        for name, counts in use.by_kind.items():
            told = ", ".join(
                f"{count} under {key_id or 'no readable key'}"
                for key_id, count in sorted(counts.items())
            )
            self.stdout.write(f"{name}: {told}")
        ring, first = vault.key_ids(), vault.sealing_key_id()
        needed = sorted(use.key_ids | {first})
        self.stdout.write(f"Needed: {', '.join(needed)} (new values: {first}).")
        if unused := [key_id for key_id in ring if key_id not in needed]:
            self.stdout.write(
                f"Can be dropped: {', '.join(unused)}; ten minutes after the last"
                " process that sealed with it ended, and if no spool directory of"
                " another machine holds an answer."
            )

    def _tell_what_stayed(self, result: resealing.Result) -> None:
        """What an operator must know is the end of the run, and its exit code."""
        problems = [
            f"{name}: {count} did not open and are as they were"
            f" (key {key_id or 'unreadable'}"
            f"{'' if key_id in vault.key_ids() else ' is missing'})."
            for (name, key_id), count in sorted(result.unopened.items())
        ]
        if result.left:
            problems.append(f"{result.left} changed each time: run this again.")
        if problems:
            raise CommandError("\n".join(problems))

    def _give_up(self, key_id: str) -> None:
        if key_id in vault.key_ids():
            raise CommandError(f"Key {key_id} is there: run this without --give-up.")
        vault.give_up(key_id)
        self.stdout.write(
            f"The service starts without key {key_id}. What it sealed does not open:"
            " people link again, secrets and second factors are entered again."
        )
