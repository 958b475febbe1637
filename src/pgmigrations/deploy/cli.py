"""`pgmigrations deploy`: a deployment from the command line, as a container job runs it."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pgmigrations.deploy.failure import code_of
from pgmigrations.deploy.order import Order
from pgmigrations.deploy.run import DATABASE_WAIT, Deployment, deploy
from pgmigrations.deploy.time_limit import TimeLimit
from pgmigrations.deploy.wiring import Wiring, default_ini
from pgmigrations.errors import PgMigrationsError

_EXAMPLES = """\
examples:
  pgmigrations deploy                       wait for the database, upgrade to head, mend logins
  pgmigrations deploy --rotate              and change the passwords of the application's logins
  pgmigrations deploy --adopt --keep notes  take a database of node-pg-migrate over first
  pgmigrations deploy --verify              and compare the database with the models in the end
  pgmigrations deploy --json                print what was done as JSON, and nothing else on stdout
  DB_SECRET_NAME=prod/db DB_USER_SECRET_NAME=prod/app pgmigrations deploy
  DB_USER_SECRET_NAME=file:/run/app/app_rw.env pgmigrations deploy

exit codes: 0 done, 1 failed, 2 wrong usage, 3 not all of it, for want of time
"""
_INCOMPLETE = 3


def main(argv: Sequence[str]) -> int:
    """Run `pgmigrations deploy ...`.

    Args:
        argv: The arguments after `deploy`.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)-5.5s [%(name)s] %(message)s"
    )
    for name in ("pgmigrations", "alembic.runtime.migration"):
        logging.getLogger(name).setLevel(logging.INFO)
    names = ("target", "rotate", "adopt", "keep", "verify")
    try:
        order = Order.of({name: getattr(options, name) for name in names})
        wiring = Wiring.of(Path(options.config), os.environ)
        done = deploy(wiring, order, _limit(options.time_limit), wait=options.wait)
    except PgMigrationsError as error:
        if options.json:
            failure = {"status": "failed", "code": code_of(error)}
            print(json.dumps(failure | {"error": error.what, "hint": error.hint}))
        print(f"FAILED: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(json.dumps(done.as_json()) if options.json else _told(done))
    return _INCOMPLETE if done.remaining else 0


def _limit(seconds: float | None) -> TimeLimit:
    if seconds is None:
        return TimeLimit()
    spent = TimeLimit()
    return TimeLimit(lambda: seconds - spent.spent)


def _told(done: Deployment) -> str:
    at = ", ".join(done.after) or "nothing"
    lines = [f"{done.status.capitalize()} in {done.seconds:.1f} s; the database is at {at}"]
    if done.adopted:
        lines.append(f"  {done.adopted}")
    lines += [f"  {one['revision']} {one['status']}" for one in done.revisions]
    lines += [f"  {one} remains: run this again" for one in done.remaining]
    lines += [
        f"  {one.login}: {one.secret} holds {one.username}, version {one.version} ({one.reason})"
        for one in done.secrets
    ]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pgmigrations deploy",
        description="Wait for the database, adopt it if told to, upgrade it under the lock, and "
        "see to it that the application's logins work; nothing to do is nothing done.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", nargs="?", default="head", help="By default the head.")
    parser.add_argument(
        "-c", "--config", default=str(default_ini()), help="The project's alembic.ini."
    )
    parser.add_argument("--rotate", action="store_true", help="Change every login's password.")
    parser.add_argument("--adopt", action="store_true", help="Take over another tool's database.")
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="TABLE",
        help="A table that no model declares, and that an adoption leaves; may be given again.",
    )
    parser.add_argument("--verify", action="store_true", help="Compare with the models at the end.")
    parser.add_argument("--json", action="store_true", help="Print JSON, also of a failure.")
    parser.add_argument(
        "--wait",
        type=float,
        default=DATABASE_WAIT,
        metavar="SECONDS",
        help="How long to wait for a database that does not answer yet (%(default)g).",
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        metavar="SECONDS",
        help="Begin nothing that would take longer; by default there is no limit.",
    )
    return parser
