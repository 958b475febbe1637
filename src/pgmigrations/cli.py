"""The command `pgmigrations`: Alembic's own command line with our commands on it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from alembic.config import CommandLine, Config

_DESCRIPTION = "Model-first PostgreSQL migrations: every command of alembic, and ours."
_EXAMPLES = """\
examples:
  pgmigrations overview                                what is applied, and what the database holds
  pgmigrations revision --autogenerate -m "Add favorites"
  pgmigrations upgrade head
  pgmigrations check                                   how the database and the models differ
  pgmigrations check --json                            the same, for a program
  pgmigrations embedded status                         the embedded PostgreSQL server
"""
_EMBEDDED_HELP = "Start, stop or look into the embedded PostgreSQL server (start --help)."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments after the program's name; by default those of the process.

    Returns:
        The exit code; failures of Alembic's commands leave by `SystemExit`, as Alembic's own do.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["embedded"]:
        # Needs neither Alembic nor SQLAlchemy, and starts the quicker for it.
        from pgmigrations.embedded.cli import main as embedded

        return embedded(arguments[1:])
    _command_line().main(arguments)
    return 0


def overview(config: Config) -> None:
    """Show what is applied and what the database holds."""
    from pgmigrations.overview.command import overview as overview_command

    overview_command(config)


def _json_action() -> type[argparse.Action]:
    import argparse

    class JsonAction(argparse.Action):
        """Switches Alembic's own messages off, which would stand on stdout, too."""

        def __call__(self, _parser: object, namespace: argparse.Namespace, *_: object) -> None:
            namespace.json = True
            namespace.quiet = True

    return JsonAction


def _command_line() -> CommandLine:
    import argparse

    from alembic.config import CommandLine

    command_line = CommandLine(prog="pgmigrations")
    command_line.parser.description = _DESCRIPTION
    command_line.parser.epilog = _EXAMPLES
    command_line.parser.formatter_class = argparse.RawDescriptionHelpFormatter
    command_line.register_command(overview)
    command_line.subparsers.choices["check"].add_argument(
        "--json",
        action=_json_action(),
        nargs=0,
        default=False,
        help="Print what differs as JSON, and nothing else on stdout.",
    )
    command_line.subparsers.add_parser("embedded", help=_EMBEDDED_HELP)
    return command_line


if __name__ == "__main__":
    sys.exit(main())
