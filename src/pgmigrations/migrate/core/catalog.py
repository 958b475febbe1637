"""What every reader of the catalogs has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, TextClause, text

from pgmigrations.migrate.core.snapshot import R, Scope

PINNED = {
    # Nothing is on the path, so every name is printed with its schema.
    "search_path": "pg_catalog",
    # Literals in defaults and checks print by these.
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}

NOT_OF_AN_EXTENSION = """
NOT EXISTS (SELECT FROM pg_depend x
            WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')"""
"""Condition on a relation `c`: an extension's own tables are the extension's business."""

TABLES_IN_SCOPE = f"""
c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
AND n.nspname = ANY(:schemas) AND {NOT_OF_AN_EXTENSION}"""
"""Condition on a table `c` in schema `n`; partitions are shown with their parent."""


@contextmanager
def pinned(connection: Connection) -> Iterator[None]:
    """Read under settings by which both sides of a comparison print alike.

    The settings before come back at the end, within the same transaction.
    """
    names = list(PINNED)
    before = connection.execute(
        text("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
    ).one()
    _set(connection, PINNED)
    try:
        yield
    finally:
        _set(connection, dict(zip(names, before, strict=True)))


def records(
    connection: Connection,
    scope: Scope,
    statement: TextClause,
    record: Callable[..., R],
    relation: Callable[[R], tuple[str, ...]],
) -> Iterator[R]:
    """Read the records of a kind: one statement, whose columns are the record's fields.

    Args:
        connection: Where to read.
        scope: Gives the statement its `schemas`, and tells which relations are left out.
        statement: The query.
        record: The class of the kind's records.
        relation: Tells the (schema, name) of the relation that a record belongs to.
    """
    for row in connection.execute(statement, {"schemas": sorted(scope.schemas)}):
        found = record(*map(frozen, row))
        if relation(found) not in scope.ignore_relations:
            yield found


def frozen(value: Any) -> Any:
    """Make tuples of the arrays that a statement returns."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def _set(connection: Connection, settings: dict[str, str]) -> None:
    calls = ", ".join(f"set_config(:n{i}, :v{i}, true)" for i in range(len(settings)))
    parameters: dict[str, str] = {}
    for number, (name, value) in enumerate(settings.items()):
        parameters |= {f"n{number}": name, f"v{number}": value}
    connection.execute(text(f"SELECT {calls}"), parameters)
