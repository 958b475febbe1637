"""Roles as the catalogs hold them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import Catalog, frozen
from pgmigrations.migrate.core.quoting import identifier
from pgmigrations.migrate.core.snapshot import Record

ATTRIBUTES = ("superuser", "createdb", "createrole", "inherit", "replication", "bypassrls")
"""What a role has or has not, as `CREATE ROLE` says it, but for LOGIN, which deploying sets."""

POWERS = ("superuser", "createdb", "createrole", "replication", "bypassrls")
"""What lets a role do more than its privileges say."""

LISTS = frozenset(
    {"search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"}
)
"""Settings whose value is a list of names, which the server quotes one by one."""


@dataclass(frozen=True)
class RoleRecord(Record):
    """A role. It belongs to the server; whether it can log in is nobody's business here.

    Attributes:
        superuser: Whether no privilege is asked of it.
        createdb: Whether it may create databases.
        createrole: Whether it may create roles.
        inherit: Whether it has the privileges of the roles that it is a member of.
        replication: Whether it may start replication.
        bypassrls: Whether no row security policy holds for it.
        connection_limit: How many sessions it may have at once; -1 for any number.
        settings: Those that hold in every database, (name, value) by name.
        comment: Empty where there is none.
    """

    kind: ClassVar[str] = "role"
    superuser: bool
    createdb: bool
    createrole: bool
    inherit: bool
    replication: bool
    bypassrls: bool
    connection_limit: int
    settings: tuple[tuple[str, str], ...]
    comment: str


_READ = """
SELECT '', r.rolname, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolinherit, r.rolreplication,
       r.rolbypassrls, r.rolconnlimit,
       ARRAY(SELECT ARRAY[split_part(one, '=', 1), substr(one, strpos(one, '=') + 1)]
             FROM unnest(s.setconfig) one),
       coalesce(shobj_description(r.oid, 'pg_authid'), '')
FROM pg_roles r
LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0
WHERE r.rolname = ANY(:roles)
ORDER BY r.rolname
"""


def as_compared(settings: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Write settings in one form, whether the server or a model says them."""
    written = {name.lower(): value for name, value in settings}
    return tuple(
        (name, ", ".join(map(identifier, parts(value))) if name in LISTS else value)
        for name, value in sorted(written.items())
    )


def parts(value: str) -> list[str]:
    """Take the names of a list apart, as the server reads it: quoted as they are, else folded."""
    return [
        part[1:-1].replace('""', '"') if part.startswith('"') else part.strip().lower()
        for part in _NAMES.findall(value.strip()) or [""]
    ]


_NAMES = re.compile(r'"(?:[^"]|"")*"|[^,"\s][^,]*')


def _record(
    schema: str,
    name: str,
    superuser: bool,
    createdb: bool,
    createrole: bool,
    inherit: bool,
    replication: bool,
    bypassrls: bool,
    connection_limit: int,
    settings: Iterable[tuple[str, str]],
    comment: str,
) -> RoleRecord:
    """A role that is no longer declared may be another database's, too: none is ours to drop."""
    return RoleRecord(
        schema,
        name,
        superuser,
        createdb,
        createrole,
        inherit,
        replication,
        bypassrls,
        connection_limit,
        as_compared(settings),
        comment,
        is_ours=False,
    )


read = Catalog(_READ, _record)
"""Reads the roles that the models declare."""


def find(connection: Connection, name: str) -> RoleRecord | None:
    """Look one role up."""
    row = connection.execute(text(_READ), {"roles": [name]}).one_or_none()
    return None if row is None else _record(*map(frozen, row))


def properties_of(record: RoleRecord) -> Mapping[str, Any]:
    """Return every property that can change, as `op.alter_role` says it."""
    found: dict[str, Any] = {name: getattr(record, name) for name in ATTRIBUTES}
    found["connection_limit"] = record.connection_limit
    found["settings"] = dict(record.settings)
    found["comment"] = record.comment
    return found
