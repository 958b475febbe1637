"""The commands of ours that have options: their parsers."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from alembic.util import CommandError

from pgmigrations.errors import PgMigrationsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.config import CommandLine, Config


def add_commands(command_line: CommandLine) -> None:
    """Add our commands to Alembic's command line."""
    _add_adopt(command_line)
    parser = _add(command_line, status, ["json"])
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    parser = _add(command_line, log, ["number", "json"])
    parser.add_argument("-n", "--number", type=_count, default=20, help="How many rows; 0 for all.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    parser = _add(command_line, unlock, ["yes"])
    parser.add_argument("--yes", action="store_true", help="Do not ask.")
    parser = _add(command_line, repair, ["revision", "yes"])
    parser.add_argument("revision", nargs="?", help="By default every one that has changed.")
    parser.add_argument("--yes", action="store_true", help="Do not ask.")
    parser = _add(command_line, fake, ["revision"])
    parser.add_argument("revision", nargs="?", default="head", help="By default the head.")
    parser = _add(command_line, dry_run, ["revision", "json"])
    parser.add_argument("revision", nargs="?", default="head", help="By default up to the head.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    parser = _add(command_line, rebase, ["revision"])
    parser.add_argument("revision", nargs="?", help="By default the branch that is not applied.")


def status(config: Config, json: bool) -> None:
    """Say of each revision whether it is applied, when, how long it took, and by whom.

    Ends with 0 where all is applied, and with 3 where something is pending, failed, half done, or
    changed since it was applied.

    Examples: pgmigrations status; pgmigrations status --json
    """
    from pgmigrations.commands.status import status as command

    if code := command(config, as_json=json):
        sys.exit(code)


def log(config: Config, number: int, json: bool) -> None:
    """Show what was run on the database, as the ledger has it; `history` shows the files.

    Examples: pgmigrations log -n 5; pgmigrations log -n 0 --json
    """
    from pgmigrations.commands.log import log as command

    command(config, number=number, as_json=json)


def unlock(config: Config, yes: bool) -> None:
    """Name the session that holds the lock on the database, ask, and end it.

    Examples: pgmigrations unlock; pgmigrations unlock --yes
    """
    from pgmigrations.commands.unlock import unlock as command

    command(config, yes=yes)


def repair(config: Config, revision: str | None, yes: bool) -> None:
    """Accept the code of applied revisions that has changed since, and write that down.

    Examples: pgmigrations repair; pgmigrations repair 003_add_favorites --yes
    """
    from pgmigrations.commands.repair import repair as command

    command(config, revision=revision, yes=yes)


def fake(config: Config, revision: str) -> None:
    """Record revisions as applied without running them, as `stamp` does.

    For a database on which their work was done by hand. Example: pgmigrations fake 003_notes
    """
    from alembic import command

    command.stamp(config, revision)


def dry_run(config: Config, revision: str, json: bool) -> None:
    """Run the pending revisions on a copy of the schema; print each statement and what it does.

    Nothing is written to the database. Ends with 1 where a revision does not run.

    Examples: pgmigrations dry-run; pgmigrations dry-run 004_notes --json
    """
    from pgmigrations.commands.dry_run import dry_run as command

    if code := command(config, revision=revision, as_json=json):
        sys.exit(code)


def rebase(config: Config, revision: str | None) -> None:
    """Put one of two branches behind the other: renumber its files, re-point them, prove them.

    For two people who both have made a revision after the same one. The branch may not be applied.

    Examples: pgmigrations rebase; pgmigrations rebase 004_notes
    """
    from pgmigrations.commands.rebase import rebase as command

    command(config, revision=revision)


def adopt(config: Config, keep: list[str], drop: list[str], reconcile: bool, undo: bool) -> None:
    """Take over a database of node-pg-migrate or plain Alembic; --undo gives it back.

    Examples: pgmigrations adopt --keep example_table; pgmigrations adopt --reconcile;
    pgmigrations adopt --undo
    """
    from pgmigrations.migrate.adopt import Wishes
    from pgmigrations.migrate.adopt import adopt as command

    try:
        config.print_stdout(command(config, Wishes(keep, drop, reconcile), undo=undo))
    except PgMigrationsError as error:
        raise CommandError(str(error)) from error


def _add(
    command_line: CommandLine, command: Callable[..., None], options: list[str]
) -> argparse.ArgumentParser:
    said = command.__doc__ or ""
    parser: argparse.ArgumentParser = command_line.subparsers.add_parser(
        command.__name__.replace("_", "-"),
        help=said.partition("\n")[0],
        description=" ".join(said.split()),
    )
    parser.set_defaults(cmd=(command, [], options))
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows: 0 or more")
    return int(text)


def _add_adopt(command_line: CommandLine) -> None:
    parser = _add(command_line, adopt, ["keep", "drop", "reconcile", "undo"])
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="NAME",
        help="A table that no model declares and that stays as it is; may be given again. "
        "It is written into ignore_tables of alembic.ini.",
    )
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="NAME",
        help="A table that no model declares and that is dropped; --undo does not bring it back.",
    )
    parser.add_argument(
        "--reconcile",
        action="store_true",
        help="Adopt it at the newest revision, whatever differs, and write a revision that makes "
        "up for the difference.",
    )
    parser.add_argument("--undo", action="store_true", help="Give the other tool its table back.")
