"""`pgmigrations embedded`: the embedded server from the command line."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pgmigrations.embedded.error import NotRunningError, TreeNotFoundError
from pgmigrations.embedded.project import DATABASE, announcement, find_server, project_server
from pgmigrations.embedded.server import EmbeddedServer
from pgmigrations.embedded.tree import version_text
from pgmigrations.errors import PgMigrationsError

_EXAMPLES = """\
examples:
  pgmigrations embedded start                     start it (or find it running), print its URL
  pgmigrations embedded status                    exit code 0: running, 3: not running
  pgmigrations embedded psql -- -c 'select 1'     start it and open psql; arguments follow --
  export DATABASE_URL="$(pgmigrations embedded url)"
  pgmigrations embedded stop
"""
_NOT_RUNNING = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run `pgmigrations embedded ...`.

    Args:
        argv: The arguments after `embedded`; default those of the process.

    Returns:
        The exit code: 0 done, 1 failed (one line on stderr says why), 2 wrong usage, 3 from
        `status` when the server is not running.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    split = arguments.index("--") if "--" in arguments else len(arguments)
    parser = _parser()
    options = parser.parse_args(arguments[:split])
    extra = arguments[split + 1 :]
    if extra and options.command != "psql":
        parser.error(f"unrecognized arguments: {' '.join(extra)}")
    project = Path(options.project)
    try:
        match options.command:
            case "start":
                return _start(project, options.database)
            case "stop":
                return _stop(project)
            case "status":
                return _status(project)
            case "url":
                return _url(project, options.database, options.driver)
            case _:
                return _psql(project, options.database, extra)
    except PgMigrationsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pgmigrations embedded",
        description="A PostgreSQL server for development, with its data in the project's .pgdata.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("start", "start the server; nothing to do when it runs"),
        ("stop", "end all sessions and stop the server; data is kept"),
        ("status", "say whether it runs, and where"),
        ("url", "print the URL of a database on the running server, and nothing else"),
        ("psql", "start the server when needed and open psql; its arguments follow --"),
    ):
        command = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        command.add_argument(
            "--project", default=".", metavar="DIR", help="root of the project (default: here)"
        )
        if name in ("start", "url", "psql"):
            command.add_argument(
                "--database", default=DATABASE, help="database (default: %(default)s)"
            )
        if name == "url":
            command.add_argument(
                "--driver", help="SQLAlchemy driver, for example psycopg2 (default: none)"
            )
    return parser


def _ready_server(project: Path, database: str) -> EmbeddedServer:
    server = project_server(project)
    server.start()
    server.create_database(database)
    print(announcement(project, server), file=sys.stderr)
    return server


def _start(project: Path, database: str) -> int:
    server = _ready_server(project, database)
    print(server.url(database, driver=None))
    return 0


def _stop(project: Path) -> int:
    server = find_server(project)
    was_running = server.status().running
    server.stop()
    print("Stopped the embedded server" if was_running else "The embedded server is not running")
    return 0


def _status(project: Path) -> int:
    status = find_server(project).status()
    print(f"running  {'yes' if status.running else 'no'}")
    print(f"data     {status.data}")
    if status.version is not None:
        print(f"version  {version_text(status.version)}")
    if status.running:
        print(f"pid      {status.pid}")
        print(f"socket   {status.socket_dir} (port {status.port})")
    return 0 if status.running else _NOT_RUNNING


def _url(project: Path, database: str, driver: str | None) -> int:
    print(find_server(project).url(database, driver=driver))
    return 0


def _psql(project: Path, database: str, extra: Sequence[str]) -> int:
    server = _ready_server(project, database)
    program = _find_psql(server)
    sys.stdout.flush()
    os.execv(program, [program, server.url(database, driver=None), *extra])


def _find_psql(server: EmbeddedServer) -> str:
    try:
        own = server.tree.bin / "psql"
        if os.access(own, os.X_OK):
            return os.fspath(own)
    except TreeNotFoundError:
        # A running server can be used after its binaries were uninstalled.
        pass
    found = shutil.which("psql")
    if found is None:
        raise NotRunningError("There is no psql program", "Install PostgreSQL's client programs")
    return found
