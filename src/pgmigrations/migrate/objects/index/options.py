"""What an index has besides its definition: tablespace, statistics, the CLUSTER mark, a comment."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.quoting import do_block, identifier, literal, qualified
from pgmigrations.migrate.objects.index.catalog import IndexRecord
from pgmigrations.migrate.objects.index.look import lookup

Options: TypeAlias = Mapping[str, str | bool | Sequence[str]]

DEFAULTS: Options = {"tablespace": "", "statistics": [], "clustered": False, "comment": ""}


class UnknownOption(PgMigrationsError):
    """A property that no index has."""

    def __init__(self, name: str) -> None:
        near = difflib.get_close_matches(name, DEFAULTS, 1)
        hint = f"Write {near[0]!r}" if near else f"Choose among {', '.join(DEFAULTS)}"
        super().__init__(f"An index has no property {name!r}", hint)
        self.name = name


def complete(options: Options | None) -> dict[str, str | bool | Sequence[str]]:
    """Add what is not said.

    Raises:
        UnknownOption: There is no property of that name.
    """
    for name in options or {}:
        if name not in DEFAULTS:
            raise UnknownOption(name)
    return {**DEFAULTS, **(options or {})}


def options_of(record: IndexRecord) -> dict[str, str | bool | Sequence[str]]:
    """Return the properties of a record that differ from the defaults."""
    every: Options = {
        "tablespace": record.tablespace,
        "statistics": list(record.statistics),
        "clustered": record.is_clustered,
        "comment": record.comment,
    }
    return {name: value for name, value in every.items() if value != DEFAULTS[name]}


def creation(
    schema: str | None, table: str, name: str, statement: str, options: Options | None
) -> list[str]:
    """Return the statements that make an index with its properties."""
    wanted = complete(options)
    statements = [statement]
    if wanted["tablespace"]:
        # The place of TABLESPACE is in the middle of the definition, this is in front of it.
        space = literal(identifier(str(wanted["tablespace"])))
        statements = [
            f"SET LOCAL default_tablespace = {space}",
            statement,
            "SET LOCAL default_tablespace = DEFAULT",
        ]
    initial = {**DEFAULTS, "tablespace": wanted["tablespace"]}
    for key, sql in changes(schema, table, name, initial, wanted).items():
        if wanted[key] != initial[key]:
            statements.append(sql)
    return statements


def changes(
    schema: str | None, table: str, name: str, before: Options, after: Options
) -> dict[str, str]:
    """Return the statement that sets each property that is to be set."""
    index = qualified(schema, name)
    owner = qualified(schema, table)
    statements: dict[str, str] = {}
    for key, value in after.items():
        if key == "tablespace":
            statements[key] = _move(index, str(value))
        elif key == "clustered":
            mark = f"CLUSTER ON {identifier(name)}" if value else "SET WITHOUT CLUSTER"
            statements[key] = f"ALTER TABLE {owner} {mark}"
        elif key == "comment":
            said = literal(str(value)) if value else "NULL"
            statements[key] = f"COMMENT ON INDEX {index} IS {said}"
        else:
            given_up = dict.fromkeys(_targets(before.get(key, [])), -1)
            targets = given_up | _targets(value)
            parts = ", ".join(
                f"ALTER COLUMN {number} SET STATISTICS {target}"
                for number, target in targets.items()
            )
            statements[key] = f"ALTER INDEX {index} {parts}"
    return statements


def condition(schema: str | None, name: str, key: str, value: object) -> str:
    """Write a condition: whether the index has the property already."""
    if key == "tablespace":
        holds = f"""coalesce((SELECT s.spcname FROM pg_catalog.pg_tablespace s
      WHERE s.oid = o.reltablespace), '') = {literal(str(value))}"""
    elif key == "clustered":
        holds = "i.indisclustered" if value else "NOT i.indisclustered"
    elif key == "comment":
        holds = f"coalesce(obj_description(o.oid, 'pg_class'), '') = {literal(str(value))}"
    else:
        said = ", ".join(literal(one) for one in _sequence(value))
        holds = f"""ARRAY(SELECT a.attnum || '=' || a.attstattarget FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = o.oid AND a.attstattarget >= 0
      ORDER BY a.attnum) = ARRAY[{said}]::text[]"""
    return lookup(schema, name, holds)


def _move(index: str, tablespace: str) -> str:
    if tablespace:
        return f"ALTER INDEX {index} SET TABLESPACE {identifier(tablespace)}"
    # The database's own has a name that only the server knows.
    return do_block(f"""\
BEGIN
  EXECUTE {literal(f"ALTER INDEX {index} SET TABLESPACE ")} || (
    SELECT quote_ident(s.spcname) FROM pg_catalog.pg_tablespace s
    JOIN pg_catalog.pg_database d ON d.dattablespace = s.oid
    WHERE d.datname = current_database());
END""")


def _targets(value: object) -> dict[int, int]:
    """Read `2=500`, the number of a column and its target."""
    pairs = (one.partition("=") for one in _sequence(value))
    return {int(number): int(target) for number, _, target in pairs}


def _sequence(value: object) -> Sequence[str]:
    assert isinstance(value, (list, tuple))
    return value
