"""Privileges of roles on what is there, as the catalogs hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
        is_owners: Whether the object is the role's own, which may do all with it.
    """

    kind: ClassVar[str] = "grant"
    on: str
    place: str
    object: str
    grantee: str
    privileges: tuple[str, ...]
    grantable: tuple[str, ...]
    is_owners: bool = field(default=False, compare=False, repr=False)

    @property
    def relation(self) -> tuple[str, str] | None:
        """The table that it is on, if it is on one."""
        return (self.place, self.object) if self.on == "table" else None


# What another role than the owner has granted is that role's business, which alone can revoke it.
_EXPLODED = """
FROM {objects}
CROSS JOIN LATERAL aclexplode(coalesce({acl}, acldefault({sort}, {owner}))) p
LEFT JOIN pg_roles g ON g.oid = p.grantee
WHERE coalesce(g.rolname, 'public') = ANY(:grantees) AND p.grantor = {owner} AND {condition}"""

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
            condition="n.nspname = ANY(:places)",
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
    f"p.is_grantable, p.grantee = p.grantor{source}"
    for sort, (names, source) in _OBJECTS.items()
)
_READ = f"""
SELECT f.place, f.sort, f.object, f.grantee,
       array_agg(DISTINCT f.privilege ORDER BY f.privilege),
       coalesce(array_agg(DISTINCT f.privilege ORDER BY f.privilege)
                FILTER (WHERE f.is_grantable), '{{}}'),
       f.grantee = ANY(:roles), bool_or(f.is_owners)
FROM ({_FOUND}) f (sort, place, object, grantee, privilege, is_grantable, is_owners)
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
    is_owners: bool = False,
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
        is_owners,
        is_ours=is_ours and not is_owners,
    )


def _record(
    place: str,
    on: str,
    name: str,
    grantee: str,
    privileges: Sequence[str],
    grantable: Sequence[str],
    is_ours: bool,
    is_owners: bool,
) -> GrantRecord:
    """Of a role that is only named, what no model grants may be anybody's."""
    return named(
        place, on, name, grantee, privileges, grantable, is_ours=is_ours, is_owners=is_owners
    )


read = Catalog(_READ, _record)
"""Reads what the named roles may do with the scope's tables, sequences and schemas, and the
database itself."""


@dataclass(frozen=True)
class Held:
    """What a role may do with an object that is there, by what its owner has granted.

    Attributes:
        privileges: Their names.
        grantable: Those that it may grant in its turn.
        is_owners: Whether the object is the role's own.
        columns: What it may do with single columns: (column, privilege, whether it may grant it).
    """

    privileges: frozenset[str]
    grantable: frozenset[str]
    is_owners: bool
    columns: tuple[tuple[str, str, bool], ...]


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
    statement = text(_HELD[on])
    rows = connection.execute(statement, {key: values[key] for key in statement._bindparams})
    return {
        name: Held(
            frozenset(privileges or ()),
            frozenset(grantable or ()),
            bool(is_owners),
            tuple(
                (one, privilege, is_grantable == "true") for one, privilege, is_grantable in columns
            ),
        )
        for name, privileges, grantable, is_owners, columns in rows.all()
    }


_HELD_OF = """
SELECT {name}, array_agg(p.privilege_type::text) FILTER (WHERE p.privilege_type IS NOT NULL),
       array_agg(p.privilege_type::text) FILTER (WHERE p.is_grantable),
       pg_get_userbyid({owner}) = :grantee, {columns}
FROM {objects}
LEFT JOIN LATERAL (
  SELECT e.* FROM aclexplode(coalesce({acl}, acldefault({sort}, {owner}))) e
  LEFT JOIN pg_roles g ON g.oid = e.grantee
  WHERE coalesce(g.rolname, 'public') = :grantee AND e.grantor = {owner}) p ON true
WHERE {condition}
GROUP BY {key}
"""
_IN_COLUMNS = """ARRAY(
         SELECT ARRAY[a.attname::text, e.privilege_type::text, e.is_grantable::text]
         FROM pg_attribute a CROSS JOIN aclexplode(a.attacl) e
         LEFT JOIN pg_roles g ON g.oid = e.grantee
         WHERE a.attrelid = c.oid AND NOT a.attisdropped AND e.grantor = c.relowner
           AND coalesce(g.rolname, 'public') = :grantee ORDER BY a.attnum, e.privilege_type)"""
_NAMED = "n.nspname = coalesce(:schema, current_schema()) AND c.relname = ANY(:names)"
_HELD = {
    on: _HELD_OF.format(
        name="c.relname",
        owner="c.relowner",
        columns=_IN_COLUMNS if on == "table" else "'{}'::text[]",
        objects="pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace",
        acl="c.relacl",
        sort=sort,
        condition=_NAMED,
        key="c.oid, c.relname, c.relowner",
    )
    for on, sort in (("table", "'r'"), ("sequence", "'s'"))
}
_HELD["schema"] = _HELD_OF.format(
    name="n.nspname",
    owner="n.nspowner",
    columns="'{}'::text[]",
    objects="pg_namespace n",
    acl="n.nspacl",
    sort="'n'",
    condition="n.nspname = ANY(:names)",
    key="n.nspname, n.nspowner",
)
_HELD["database"] = _HELD_OF.format(
    name="''",
    owner="d.datdba",
    columns="'{}'::text[]",
    objects="pg_database d",
    acl="d.datacl",
    sort="'d'",
    condition="d.datname = current_database()",
    key="d.datdba",
)
