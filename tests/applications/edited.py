"""Each edit alone: generated, applied, equal to what `create_all()` makes, and taken back."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.quoting import literal, qualified
from tests.applications.application import Application
from tests.applications.database import create_all, dump, expect_equal, extensions_of
from tests.applications.edit import Edit
from tests.applications.outcome import Failed, Outcomes
from tests.applications.part import copied
from tests.support.database import Databases
from tests.support.project import Project

ROWS = 3


class EditedModels:
    """Tries edits on a part of an application's models.

    Args:
        application: What the models belong to.
        metadata: The whole models.
        keys: The tables of the part.
        databases: Where databases are made.
        programs: The folder of the server's programs.
        folder: An empty folder.
        outcomes: Takes what each edit has shown.
    """

    def __init__(
        self,
        application: Application,
        metadata: MetaData,
        keys: list[str],
        databases: Databases,
        programs: Path,
        folder: Path,
        outcomes: Outcomes,
    ) -> None:
        self._application = application
        self._metadata = metadata
        self._keys = keys
        self._databases = databases
        self._programs = programs
        self._folder = folder
        self._outcomes = outcomes
        self._number = 0

    def attempt(self, edit: Edit) -> None:
        """Try one edit, and write down what it has shown."""
        self._number += 1
        before = copied(self._metadata, self._keys)
        lacked = edit.prepare(before)
        after = copied(self._metadata, self._keys)
        edit.prepare(after)
        edit.change(after)
        note = "on a thing given to the models" if lacked else ""
        with self._outcomes.step(edit.name, note):
            self._attempt(edit, before, after, lacked)

    def _attempt(self, edit: Edit, before: MetaData, after: MetaData, lacked: bool) -> None:
        key = edit.name if lacked else ""
        start = self._start(key, before)
        folder = self._folder / f"edit{self._number}"
        with (
            self._databases.fresh(template=start) as url,
            self._databases.fresh() as plain,
        ):
            project = Project(folder, url).models(after)
            for revision in (self._first(key) / "alembic" / "versions").glob("*.py"):
                shutil.copy(revision, project.versions)
            held = dump(url, self._programs)
            rows = _insert_rows(url, before) if edit.rows else {}
            if project.autogenerate("edit") is None:
                raise Failed("the edit was not seen")
            project.upgrade()
            create_all(plain, after, extensions_of(url))
            expect_equal(
                dump(url, self._programs), dump(plain, self._programs), "not as create_all()"
            )
            _expect_rows(url, rows)
            again = project.autogenerate("unexpected")
            if again is not None:
                raise Failed(f"seen again: {again.read_text(encoding='utf-8')}")
            project.downgrade("-1")
            expect_equal(dump(url, self._programs), held, "downgrade does not restore")
            _expect_rows(url, rows)

    def _first(self, key: str) -> Path:
        return self._folder / f"first {key}".strip().replace(" ", "_").replace("'", "")

    def _start(self, key: str, metadata: MetaData) -> str:
        """Make the database before the edit by a first revision, once."""

        def build(url: str) -> None:
            project = Project(self._first(key), url).models(metadata)
            project.autogenerate("first")
            project.upgrade()

        return self._databases.template(f"{self._application.name} {key}", build)


def _insert_rows(url: str, metadata: MetaData) -> dict[str, int]:
    """Put rows into the tables, as far as their checks let any value through.

    Returns:
        How many rows each table holds then.
    """
    counts: dict[str, int] = {}
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in metadata.sorted_tables:
            columns = connection.execute(_COLUMNS, {"t": qualified(table.schema, table.name)}).all()
            names = ", ".join(row.quoted for row in columns)
            inserted = 0
            for number in range(1, ROWS + 1):
                values = ", ".join(_value(row, number) for row in columns)
                savepoint = connection.begin_nested()
                try:
                    connection.exec_driver_sql(
                        f"INSERT INTO {qualified(table.schema, table.name)} ({names})"
                        f" OVERRIDING SYSTEM VALUE VALUES ({values})",
                        execution_options={"no_parameters": True},
                    )
                except DBAPIError:
                    savepoint.rollback()
                else:
                    savepoint.commit()
                    inserted += 1
            counts[qualified(table.schema, table.name)] = inserted
    return counts


_COLUMNS = text("""
SELECT quote_ident(a.attname) AS quoted, format_type(a.atttypid, a.atttypmod) AS type,
       t.typcategory, a.attnotnull,
       (SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = t.oid
        ORDER BY e.enumsortorder LIMIT 1) AS label
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = CAST(:t AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attgenerated = ''
ORDER BY a.attnum
""")


def _value(column: Any, number: int) -> str:
    if column.label is not None:
        return literal(column.label)
    if column.typcategory == "N":
        return str(number)
    if column.typcategory == "S":
        return f"{number}::text::{column.type}"
    if column.typcategory == "B":
        return "true"
    if column.typcategory == "D":
        return f"'2026-01-0{number} 00:00'"
    if column.type == "uuid":
        return f"'00000000-0000-0000-0000-00000000000{number}'"
    if column.type in ("json", "jsonb"):
        return "'{}'"
    if column.type == "bytea":
        return "'x'"
    return "NULL"


def _expect_rows(url: str, rows: dict[str, int]) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        for table, wanted in rows.items():
            there = connection.execute(
                text("SELECT to_regclass(:t) IS NOT NULL"), {"t": table}
            ).scalar_one()
            if there:
                found = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
                if found != wanted:
                    raise Failed(f"{table} held {wanted} rows and holds {found}")
