"""The command `pgmigrations`: Alembic's own command line with our commands on it."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # Importing `typing` takes longer than a look at the database.
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from alembic.config import CommandLine, Config

_DESCRIPTION = "Model-first PostgreSQL migrations: every command of alembic, and ours."
_EXAMPLES = """\
examples:
  pgmigrations overview                                what is applied, and what the database holds
  pgmigrations revision --autogenerate -m "Add favorites"
  pgmigrations upgrade                                 to the head
  pgmigrations manifest                                when packaging: lets `upgrade` be quick
  pgmigrations status                                  pending, applied, failed: when and by whom
  pgmigrations dry-run                                 the pending ones, run on a copy: statements
  pgmigrations rebase                                  both made 004: renumber yours, prove it again
  pgmigrations log -n 5                                what was run on this database
  pgmigrations adopt --keep old_table                  take over from node-pg-migrate or Alembic
  pgmigrations check                                   how the database and the models differ
  pgmigrations check --json                            the same, for a program
  pgmigrations deploy                                  wait, upgrade, mend the application's logins
  pgmigrations embedded status                         the embedded PostgreSQL server
"""
_DEPLOY_HELP = "Migrate, and give the application logins that work (deploy --help)."
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
    if arguments[:1] in (["-c"], ["--config"]) and arguments[2:3] == ["deploy"]:
        arguments = ["deploy", *arguments[:2], *arguments[3:]]
    if arguments[:1] == ["deploy"]:
        # What has nothing to do needs neither of them, either.
        from pgmigrations.deploy.cli import main as deploy

        return deploy(arguments[1:])
    if _is_up_to_date(arguments):
        return 0
    _command_line().main(arguments)
    return 0


def manifest(config: Config) -> None:
    """Write down what the revision files say: an upgrade with nothing to do is quick by it."""
    from alembic.util import CommandError

    from pgmigrations.errors import PgMigrationsError
    from pgmigrations.migrate.manifest import write_manifest

    try:
        made, reason = write_manifest(config)
    except PgMigrationsError as error:
        raise CommandError(str(error)) from error
    config.print_stdout("Manifest written: at head is %s", ", ".join(made.rows) or "nothing")
    if reason:
        config.print_stdout("It helps `alembic upgrade` alone: %s", reason)


def overview(config: Config) -> None:
    """Show what is applied and what the database holds."""
    from pgmigrations.overview.command import overview as overview_command

    overview_command(config)


def _is_up_to_date(arguments: list[str]) -> bool:
    """Say that there is nothing to do, if that is soon found out."""
    ini = "alembic.ini"
    if arguments[:1] in (["-c"], ["--config"]) and len(arguments) > 1:
        ini, arguments = arguments[1], arguments[2:]
    if arguments not in (["upgrade"], ["upgrade", "head"], ["upgrade", "heads"]):
        return False
    from pgmigrations.errors import PgMigrationsError
    from pgmigrations.run.at_head import up_to_date

    try:
        rows = up_to_date(arguments[-1] if len(arguments) > 1 else "head", ini)
    except PgMigrationsError as error:
        # As the long way prints it.
        from alembic.util import msg

        msg(f"FAILED: {' '.join(str(error).split())}")
        sys.exit(-1)
    except KeyboardInterrupt:
        sys.exit(130)
    if rows is None:
        return False
    print(f"Up to date at {', '.join(rows)}")
    return True


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

    from alembic import command
    from alembic.config import CommandLine
    from alembic.script.revision import RevisionError
    from alembic.util import err

    from pgmigrations.cli_commands import add_commands
    from pgmigrations.migrate.manifest import renew_manifest

    class OurCommandLine(CommandLine):
        """Keeps the manifest up to date where env.py cannot: when a revision has been written."""

        def run_cmd(self, config: Config, options: argparse.Namespace) -> None:
            try:
                super().run_cmd(config, options)
            except RevisionError as error:
                # Alembic tells of most of them itself, but not of all.
                err(str(error), **config.messaging_opts)
            if options.cmd[0] is command.revision:
                renew_manifest(config)

    command_line = OurCommandLine(prog="pgmigrations")
    command_line.parser.description = _DESCRIPTION
    command_line.parser.epilog = _EXAMPLES
    command_line.parser.formatter_class = argparse.RawDescriptionHelpFormatter
    command_line.register_command(overview)
    command_line.register_command(manifest)
    add_commands(command_line)
    for action in command_line.subparsers.choices["upgrade"]._actions:
        if action.dest == "revision":
            action.nargs, action.default, action.required = "?", "head", False
    command_line.subparsers.choices["check"].add_argument(
        "--json",
        action=_json_action(),
        nargs=0,
        default=False,
        help="Print what differs as JSON, and nothing else on stdout.",
    )
    command_line.subparsers.add_parser("embedded", help=_EMBEDDED_HELP)
    command_line.subparsers.add_parser("deploy", help=_DEPLOY_HELP)
    return command_line


if __name__ == "__main__":
    sys.exit(main())
