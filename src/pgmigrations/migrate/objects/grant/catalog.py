"""Privileges of roles on what is there, as the catalogs hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import NOT_OF_AN_EXTENSION, TABLES_IN_SCOPE, Catalog
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class GrantRecord(Record):
    """What one role may do with one object.

    Attributes:
        on: The sort of object: table, sequence, schema or database.
        place: The schema of a table or a sequence; else empty.
        object: Its name; empty for the database.
        grantee: The role.
        privileges: Their names, sorted.
        grantable: Those that it may grant in its turn, sorted.
    """

    kind: ClassVar[str] = "grant"
    on: str
    place: str
    object: str
    grantee: str
    privileges: tuple[str, ...]
    grantable: tuple[str, ...]

    @property
    def relation(self) -> tuple[str, str] | None:
        """The table that it is on, if it is on one."""
        return (self.place, self.object) if self.on == "table" else None


# What is owned is never looked at: an owner has all privileges, or could have them.
_EXPLODED = """
FROM {objects}
CROSS JOIN LATERAL aclexplode(coalesce({acl}, acldefault({sort}, {owner}))) p
LEFT JOIN pg_roles g ON g.oid = p.grantee
WHERE coalesce(g.rolname, 'public') = ANY(:grantees) AND p.grantee <> {owner} AND {condition}"""

_OBJECTS = {
    "table": (
        "n.nspname, c.relname",
        _EXPLODED.format(
            objects="pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace",
            acl="c.relacl",
            sort="'r'",
            owner="c.relowner",
            condition=TABLES_IN_SCOPE,
        ),
    ),
    "sequence": (
        "n.nspname, c.relname",
        _EXPLODED.format(
            objects="pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace",
            acl="c.relacl",
            sort="'s'",
            owner="c.relowner",
            condition=f"c.relkind = 'S' AND n.nspname = ANY(:schemas) AND {NOT_OF_AN_EXTENSION}",
        ),
    ),
    "schema": (
        "'', n.nspname",
        _EXPLODED.format(
            objects="pg_namespace n",
            acl="n.nspacl",
            sort="'n'",
            owner="n.nspowner",
            condition="n.nspname = ANY(:schemas)",
        ),
    ),
    "database": (
        "'', ''",
        _EXPLODED.format(
            objects="pg_database d",
            acl="d.datacl",
            sort="'d'",
            owner="d.datdba",
            condition="d.datname = current_database()",
        ),
    ),
}

_FOUND = "\nUNION ALL\n".join(
    f"SELECT '{sort}', {names}, coalesce(g.rolname, 'public'), p.privilege_type::text, "
    f"p.is_grantable{source}"
    for sort, (names, source) in _OBJECTS.items()
)
_READ = f"""
SELECT f.place, f.sort, f.object, f.grantee,
       array_agg(DISTINCT f.privilege ORDER BY f.privilege),
       coalesce(array_agg(DISTINCT f.privilege ORDER BY f.privilege)
                FILTER (WHERE f.is_grantable), '{{}}'),
       f.grantee = ANY(:roles)
FROM ({_FOUND}) f (sort, place, object, grantee, privilege, is_grantable)
GROUP BY f.sort, f.place, f.object, f.grantee
ORDER BY f.sort, f.place, f.object, f.grantee
"""


def named(
    place: str,
    on: str,
    name: str,
    grantee: str,
    privileges: Sequence[str],
    grantable: Sequence[str] = (),
    *,
    is_ours: bool = True,
) -> GrantRecord:
    """Make the record of what a role may do with an object."""
    shown = f"{place}.{name}" if place else name
    return GrantRecord(
        "",
        " ".join(word for word in (on, shown, "to", grantee) if word),
        on,
        place,
        name,
        grantee,
        tuple(sorted(privileges)),
        tuple(sorted(grantable)),
        is_ours=is_ours,
    )


def _record(
    place: str,
    on: str,
    name: str,
    grantee: str,
    privileges: Sequence[str],
    grantable: Sequence[str],
    is_ours: bool,
) -> GrantRecord:
    """Of a role that is only named, what no model grants may be anybody's."""
    return named(place, on, name, grantee, privileges, grantable, is_ours=is_ours)


read = Catalog(_READ, _record)
"""Reads what the named roles may do with the scope's tables, sequences and schemas, and the
database itself."""


@dataclass(frozen=True)
class Held:
    """What a role may do with an object that is there.

    Attributes:
        privileges: Their names.
        grantable: Those that it may grant in its turn.
    """

    privileges: frozenset[str]
    grantable: frozenset[str]


def held(
    connection: Connection, on: str, schema: str | None, names: Sequence[str], grantee: str
) -> dict[str, Held]:
    """Look up what a role may do with objects, by their names; those that are missing are left out.

    Args:
        connection: Where to look.
        on: The sort of object.
        schema: Its schema; None for the first of the search path.
        names: The objects.
        grantee: The role.
    """
    values = {"schema": schema, "names": list(names), "grantee": grantee}
    rows = connection.execute(text(_HELD[on]), values).all()
    return {
        name: Held(frozenset(privileges or ()), frozenset(grantable or ()))
        for name, privileges, grantable in rows
    }


_HELD_RELATION = """
SELECT c.relname, array_agg(p.privilege_type::text) FILTER (WHERE p.privilege_type IS NOT NULL),
       array_agg(p.privilege_type::text) FILTER (WHERE p.is_grantable)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
  SELECT e.* FROM aclexplode(coalesce(c.relacl, acldefault({sort}, c.relowner))) e
  LEFT JOIN pg_roles g ON g.oid = e.grantee
  WHERE coalesce(g.rolname, 'public') = :grantee) p ON true
WHERE n.nspname = coalesce(:schema, current_schema()) AND c.relname = ANY(:names)
GROUP BY c.relname
"""
_HELD = {
    "table": _HELD_RELATION.format(sort="'r'"),
    "sequence": _HELD_RELATION.format(sort="'s'"),
    "schema": """
SELECT n.nspname, array_agg(p.privilege_type::text) FILTER (WHERE p.privilege_type IS NOT NULL),
       array_agg(p.privilege_type::text) FILTER (WHERE p.is_grantable)
FROM pg_namespace n
LEFT JOIN LATERAL (
  SELECT e.* FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) e
  LEFT JOIN pg_roles g ON g.oid = e.grantee
  WHERE coalesce(g.rolname, 'public') = :grantee) p ON true
WHERE n.nspname = ANY(:names) AND cast(:schema AS text) IS NULL
GROUP BY n.nspname
""",
    "database": """
SELECT '', array_agg(p.privilege_type::text) FILTER (WHERE p.privilege_type IS NOT NULL),
       array_agg(p.privilege_type::text) FILTER (WHERE p.is_grantable)
FROM pg_database d
LEFT JOIN LATERAL (
  SELECT e.* FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) e
  LEFT JOIN pg_roles g ON g.oid = e.grantee
  WHERE coalesce(g.rolname, 'public') = :grantee) p ON true
WHERE d.datname = current_database() AND cast(:schema AS text) IS NULL
  AND cast(:names AS text[]) IS NOT NULL
""",
}
