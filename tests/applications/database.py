"""Databases for one application, and what they hold."""

from __future__ import annotations

import difflib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import MetaData, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.options import declared_schemas
from pgmigrations.migrate.core.quoting import identifier
from tests.applications.outcome import Failed
from tests.support.dump import schema_dump

LEDGER = ("pgmigrations*",)


def dump(url: str, programs: Path) -> str:
    """Dump a schema in the form that equal schemas share, without the version table."""
    return schema_dump(url, pg_dump=programs / "pg_dump", exclude_tables=LEDGER)


def extensions_of(url: str) -> list[str]:
    """Name the extensions that a database has beside the server's own."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        names = text("SELECT extname FROM pg_extension WHERE oid >= 16384")
        return list(connection.execute(names).scalars())


def create_all(url: str, metadata: MetaData, extensions: Sequence[str]) -> None:
    """Do what a deployment without migrations does: schemas, extensions, `create_all()`."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for schema in sorted(declared_schemas([metadata])):
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}"))
        for extension in extensions:
            connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {identifier(extension)}"))
    metadata.create_all(engine)


def copy_by_dump(source: str, target: str, programs: Path) -> None:
    """Restore a dump of one database, whole, into another."""
    from_url, to_url = make_url(source), make_url(target)
    environment = {**os.environ, "PGPASSWORD": str(from_url.password or "")}
    written = subprocess.run(
        [programs / "pg_dump", "--format=custom", *_place(source), f"--dbname={from_url.database}"],
        env=environment,
        capture_output=True,
        check=True,
    )
    subprocess.run(
        [
            programs / "pg_restore",
            "--exit-on-error",
            *_place(target),
            f"--dbname={to_url.database}",
        ],
        env=environment,
        input=written.stdout,
        capture_output=True,
        check=True,
    )


def _place(url: str) -> list[str]:
    _, arguments = make_url(url).get_dialect()().create_connect_args(make_url(url))
    options = {"host": "--host", "port": "--port", "user": "--username"}
    return [f"{flag}={arguments[key]}" for key, flag in options.items() if key in arguments]


def expect_equal(found: str, wanted: str, what: str) -> None:
    """Compare two dumps.

    Raises:
        Failed: They differ, and where.
    """
    if found == wanted:
        return
    lines = difflib.unified_diff(
        wanted.splitlines(), found.splitlines(), "wanted", "found", lineterm="", n=1
    )
    raise Failed(f"{what}:\n" + "\n".join(list(lines)[:60]))
