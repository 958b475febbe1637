"""The SQL that grants and revokes."""

from __future__ import annotations

from collections.abc import Sequence

from pgmigrations.migrate.core.quoting import (
    do_block,
    grantee,
    identifier,
    literal,
    qualified,
    text_array,
)

_OF_SCHEMA = ("table", "sequence")


def plain(verb: str, on: str, schema: str | None, names: Sequence[str], ending: str) -> list[str]:
    """Return one statement for all objects.

    Args:
        verb: Up to ON: `GRANT SELECT`.
        on: The sort of object.
        schema: Its schema; None for the first of the search path.
        names: The objects.
        ending: From TO or FROM on.
    """
    if on == "database":
        # It has another name in every environment.
        text = literal(f"{_escaped(verb)} ON DATABASE %I {_escaped(ending)}")
        return [do_block(f"BEGIN\n  EXECUTE format({text}, current_database());\nEND")]
    written = [qualified(schema, one) if on in _OF_SCHEMA else identifier(one) for one in names]
    return [f"{verb} ON {on.upper()} {', '.join(written)} {ending}"]


def looking(
    verb: str, on: str, schema: str | None, names: Sequence[str], role: str, ending: str
) -> str:
    """Return a block that leaves out what is not there, and what is the role's own.

    Args:
        verb: Up to ON: `REVOKE SELECT`.
        on: The sort of object.
        schema: Its schema; None for the first of the search path.
        names: The objects.
        role: The role.
        ending: From TO or FROM on.
    """
    known = "true"
    if role != "public":
        known = f"EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = {literal(role)})"
    place = literal(schema) if schema else "current_schema()"
    if on == "database":
        objects, written = "true", "format('%I', current_database())"
    elif on == "schema":
        written = "format('%I', object)"
        objects = (
            f"(SELECT n.nspowner::regrole::text <> quote_ident({literal(role)}) "
            f"FROM pg_catalog.pg_namespace n WHERE n.oid = to_regnamespace({written}))"
        )
    else:
        written = f"format('%I.%I', {place}, object)"
        objects = (
            f"(SELECT c.relowner::regrole::text <> quote_ident({literal(role)}) "
            f"FROM pg_catalog.pg_class c WHERE c.oid = to_regclass({written}))"
        )
    text = literal(f"{_escaped(verb)} ON {on.upper()} %s {_escaped(ending)}")
    return do_block(f"""\
DECLARE
  object text;
  again text[] := '{{}}';
  one text;
BEGIN
  FOREACH object IN ARRAY {text_array(names or [""])} LOOP
    IF {objects} AND {known} THEN
      {_columns(written, role) if on == "table" else "NULL;"}
      EXECUTE format({text}, {written});
      FOREACH one IN ARRAY again LOOP
        EXECUTE one;
      END LOOP;
    END IF;
  END LOOP;
END""")


def _columns(written: str, role: str) -> str:
    """Note what a role may do with single columns, which goes with the table's privileges."""
    return f"""SELECT coalesce(array_agg(format('GRANT %s (%I) ON %s TO %s%s', e.privilege_type,
        a.attname, {written}, {literal(grantee(role))},
        CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' END)), '{{}}') INTO again
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      CROSS JOIN pg_catalog.aclexplode(a.attacl) e
      LEFT JOIN pg_catalog.pg_roles g ON g.oid = e.grantee
      WHERE a.attrelid = to_regclass({written}) AND e.grantor = c.relowner
        AND coalesce(g.rolname, 'public') = {literal(role)};"""


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def ending_of(word: str, role: str, *, option: bool = False) -> str:
    """Write from TO or FROM on."""
    return f"{word} {grantee(role)}{' WITH GRANT OPTION' if option else ''}"
