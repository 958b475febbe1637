"""Turning the table of node-pg-migrate into the ledger, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.quoting import identifier, literal, qualified
from pgmigrations.run.half_done import half_done
from pgmigrations.run.ledger import APPLIED, COLUMNS, SETTLED, SUFFIX, Entry, Status
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.session import rows

if TYPE_CHECKING:
    from psycopg2 import extensions as driver

NODE_LOCK = 7241865325823964
"""The advisory lock that node-pg-migrate takes, unless it is told another."""

NODE_COLUMNS = frozenset({"id", "name", "run_on"})


class NotAdopted(PgMigrationsError):
    """There is nothing to undo, or it would lose what was applied since."""


class OtherToolAtWork(PgMigrationsError):
    """A run of node-pg-migrate is under way."""

    def __init__(self) -> None:
        super().__init__(
            "A run of node-pg-migrate holds its lock on this database", "Wait until it has ended"
        )


class GrantPassedOn(PgMigrationsError):
    """A right on the table was granted by a role that is not its owner."""

    def __init__(self, name: str, privilege: str, grantor: str, grantee: str) -> None:
        super().__init__(
            f"{grantor} has passed {privilege} on {name} on to {grantee}, which nobody else could "
            "give back",
            f"REVOKE it first, as {grantor}",
        )


@dataclass(frozen=True)
class Found:
    """What an adoption changes and its undoing gives back; kept as the ledger's comment.

    Attributes:
        names: New name to old one, of constraints.
        sequence: The old name of the sequence; empty where the table has none.
        position: The sequence's last value, and whether it was given.
        grants: Who may do what on the table: column (empty for all of it), grantee (empty for
            PUBLIC), privilege, grantable.
        sequence_grants: The same on the sequence.
        comment: The table's own comment.
        heads: The revisions that it was adopted at.
    """

    names: dict[str, str]
    sequence: str
    position: list[Any]
    grants: list[list[Any]]
    sequence_grants: list[list[Any]]
    comment: str | None
    heads: list[str]


_COLUMNS = """
SELECT a.attname::text FROM pg_catalog.pg_attribute a
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = "SELECT conname::text FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass(%s)"
_SEQUENCE = """
SELECT s.relname::text FROM pg_catalog.pg_class s
WHERE s.oid = to_regclass(pg_get_serial_sequence(%s, 'id'))
"""
_GRANTS = """
SELECT a.attname, coalesce(r.rolname::text, ''), g.privilege_type, g.is_grantable,
       CASE WHEN g.grantor <> c.relowner THEN pg_get_userbyid(g.grantor)::text END
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL (
    SELECT 0 AS attnum, '' AS attname, c.relacl AS acl
    UNION ALL
    SELECT t.attnum, t.attname::text, t.attacl FROM pg_catalog.pg_attribute t
    WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL AND NOT t.attisdropped
) a
CROSS JOIN LATERAL pg_catalog.aclexplode(a.acl) WITH ORDINALITY
     AS g (grantor, grantee, privilege_type, is_grantable, n)
LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee
WHERE c.oid = to_regclass(%s) AND g.grantee <> c.relowner
ORDER BY a.attnum, g.n
"""


def is_node_table(connection: driver.connection, schema: str, table: str) -> bool:
    """Tell whether a table has the columns of node-pg-migrate's, and no more.

    Args:
        connection: A connection of psycopg2's.
        schema: The table's schema.
        table: The table.
    """
    found = rows(connection, _COLUMNS, (qualified(schema, table),))
    return {name for (name,) in found} == NODE_COLUMNS


def take_node_lock(connection: driver.connection) -> None:
    """Keep node-pg-migrate out for as long as the transaction lasts.

    Raises:
        OtherToolAtWork: It is at work now.
    """
    query = "SELECT pg_catalog.pg_try_advisory_xact_lock(%s)"
    if not rows(connection, query, (NODE_LOCK,))[0][0]:
        raise OtherToolAtWork


def convert(
    connection: driver.connection,
    schema: str,
    table: str,
    heads: list[str],
    entries: Iterable[Entry],
) -> None:
    """Make the ledger of node-pg-migrate's table, and a version table beside it.

    Ids, names and times stay as they are. The names of the sequence and of the constraints follow
    the table's. Other roles lose their rights on it. Emits `ALTER TABLE … RENAME`, which takes an
    ACCESS EXCLUSIVE lock on the table until the transaction ends.

    Args:
        connection: In the transaction that does it all.
        schema: The table's schema.
        table: The table.
        heads: The revisions that the database is at.
        entries: What the ledger says of the revisions that it has.

    Raises:
        GrantPassedOn: A role has passed a right on, which only that role could give back.
    """
    old, new = qualified(schema, table), qualified(schema, table + SUFFIX)
    names = {
        name.replace(table, table + SUFFIX, 1): name
        for (name,) in rows(connection, _CONSTRAINTS, (old,))
        if name.startswith(table)
    }
    sequence = "".join(name for (name,) in rows(connection, _SEQUENCE, (old,)))
    counter = qualified(schema, sequence) if sequence else ""
    found = Found(
        names,
        sequence,
        list(rows(connection, f"SELECT last_value, is_called FROM {counter}")[0])
        if counter
        else [],
        _granted(connection, old),
        _granted(connection, counter) if counter else [],
        comment_of(connection, old),
        heads,
    )
    statements = _revocations(old, found.grants)
    if counter:
        statements += _revocations(counter, found.sequence_grants)
        statements.append(f"ALTER SEQUENCE {counter} RENAME TO {identifier(_sequence(table))}")
    statements.append(f"ALTER TABLE {old} RENAME TO {identifier(table + SUFFIX)}")
    statements += [_renamed(new, before, after) for after, before in names.items()]
    statements += [f"ALTER TABLE {new} ADD COLUMN {one}" for one in _added()]
    statements += [
        f"UPDATE {new} SET status = {literal(Status.ADOPTED)}",
        f"ALTER TABLE {new} ALTER COLUMN status SET NOT NULL",
        f"COMMENT ON TABLE {new} IS {literal(json.dumps(vars(found)))}",
        *version_table_statements(schema, table, heads),
    ]
    send(connection, statements)
    ledger = LedgerTable(schema, table)
    for entry in entries:
        ledger.add(connection, entry)


def version_table_statements(schema: str, table: str, heads: Iterable[str]) -> list[str]:
    """Return the statements that make a version table with its rows, unless it is there, empty."""
    name, key = qualified(schema, table), identifier(f"{table}_pkc")
    return [
        f"CREATE TABLE IF NOT EXISTS {name} (version_num varchar(255) NOT NULL, "
        f"CONSTRAINT {key} PRIMARY KEY (version_num))",
        *(f"INSERT INTO {name} VALUES ({literal(head)})" for head in heads),
    ]


def comment_of(connection: driver.connection, name: str) -> str | None:
    """Return the comment on a table; None where there is none, or no table.

    Args:
        connection: A connection of psycopg2's.
        name: The table as SQL names it.
    """
    query = "SELECT obj_description(to_regclass(%s), 'pg_class')"
    found: str | None = rows(connection, query, (name,))[0][0]
    return found


def restore(connection: driver.connection, schema: str, table: str) -> None:
    """Give node-pg-migrate its table back: rows, names and rights as they were.

    Args:
        connection: In the transaction that does it all.
        schema: The version table's schema.
        table: The version table.

    Raises:
        NotAdopted: The database was not adopted, or it has moved on since.
    """
    old, new = qualified(schema, table), qualified(schema, table + SUFFIX)
    said = comment_of(connection, new)
    try:
        found = Found(**json.loads(said or ""))
    except (ValueError, TypeError):
        raise NotAdopted(f"{table} was not made of another tool's table") from None
    refuse_what_came_since(connection, LedgerTable(schema, table), found.heads, old)
    statements = [
        f"DROP TABLE {old}",
        f"DELETE FROM {new} WHERE status <> 'adopted'",
        *(f"ALTER TABLE {new} DROP COLUMN {one.split()[0]}" for one in _added()),
        *(_renamed(new, after, before) for after, before in found.names.items()),
        f"ALTER TABLE {new} RENAME TO {identifier(table)}",
        f"COMMENT ON TABLE {old} IS {'NULL' if found.comment is None else literal(found.comment)}",
        *_grants(old, found.grants),
    ]
    if found.sequence:
        there = qualified(schema, _sequence(table))
        statements += [
            f"ALTER SEQUENCE {there} RENAME TO {identifier(found.sequence)}",
            f"SELECT setval({literal(qualified(schema, found.sequence))}, "
            f"{found.position[0]:d}, {found.position[1]})",
            *_grants(qualified(schema, found.sequence), found.sequence_grants),
        ]
    send(connection, statements)


def refuse_what_came_since(
    connection: driver.connection, ledger: LedgerTable, heads: Sequence[str], version_table: str
) -> None:
    """Refuse to lose what was run after the adoption.

    Args:
        connection: A connection of psycopg2's.
        ledger: The ledger.
        heads: The revisions that the database was adopted at.
        version_table: The version table as SQL names it.

    Raises:
        NotAdopted: The database is not there any more, or a revision was run.
    """
    at = sorted(one for (one,) in rows(connection, f"SELECT version_num FROM {version_table}"))
    latest = ledger.latest(connection)
    begun = sorted(half_done(latest))
    if at == sorted(heads) and not begun:
        return
    since = [
        name
        for name, row in ledger.latest(connection, SETTLED).items()
        if row.status in APPLIED - {Status.ADOPTED} and name not in heads
    ]
    named = (
        ", ".join(sorted({*since, *begun})) or f"it is at {', '.join(at) or 'the beginning'} now"
    )
    raise NotAdopted(
        f"The database has moved on after the adoption: {named}",
        f"Go back to {', '.join(heads)} first, or keep it adopted",
    )


def _position(connection: driver.connection, sequence: str) -> list[Any]:
    return list(rows(connection, f"SELECT last_value, is_called FROM {sequence}")[0])


def _granted(connection: driver.connection, name: str) -> list[list[Any]]:
    found = rows(connection, _GRANTS, (name,))
    for _, grantee, privilege, _, grantor in found:
        if grantor is not None:
            raise GrantPassedOn(name, privilege, grantor, grantee or "PUBLIC")
    return [list(row[:4]) for row in found]


def _added() -> list[str]:
    """Return the columns that the ledger has and node-pg-migrate's table has not."""
    columns = [line.strip().rstrip(",") for line in COLUMNS.splitlines()]
    return [one.replace(" NOT NULL", "") for one in columns if one.split()[0] not in NODE_COLUMNS]


def _sequence(table: str) -> str:
    return f"{table}{SUFFIX}_id_seq"


def _renamed(table: str, before: str, after: str) -> str:
    return f"ALTER TABLE {table} RENAME CONSTRAINT {identifier(before)} TO {identifier(after)}"


def _role(name: str) -> str:
    return identifier(name) if name else "PUBLIC"


def _revocations(name: str, grants: list[list[Any]]) -> list[str]:
    # Those of its columns go with the table's.
    roles = dict.fromkeys(_role(role) for _, role, _, _ in grants)
    return [f"REVOKE ALL ON {name} FROM {role}" for role in roles]


def _grants(name: str, grants: list[list[Any]]) -> list[str]:
    return [
        f"GRANT {privilege}{f' ({identifier(column)})' if column else ''} ON {name} "
        f"TO {_role(role)}{' WITH GRANT OPTION' if is_grantable else ''}"
        for column, role, privilege, is_grantable in grants
    ]


def send(connection: driver.connection, statements: Sequence[str]) -> None:
    """Run statements, one after the other."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
