"""What the server knows of the way from one type to another."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Cast:
    """The way from one type to another.

    Attributes:
        is_same: Whether they differ in their modifiers at most, or a domain is taken off.
        context: As pg_cast has it: `i` implicit, `a` by assignment, `e` explicit only; empty
            where there is no cast, or one of the types is not there yet.
        before: The category of the first type, such as `N` for numbers (manual, pg_type).
        after: That of the second.
    """

    is_same: bool = False
    context: str = ""
    before: str = ""
    after: str = ""


_LOOK = text("""
WITH RECURSIVE type (name, oid, sort, base, category) AS (
  SELECT y.name, t.oid, t.typtype, t.typbasetype, t.typcategory::text
  FROM (VALUES (CAST(:before AS text)), (CAST(:after AS text))) AS y (name)
  JOIN pg_catalog.pg_type t ON t.oid = to_regtype(y.name)
  UNION
  SELECT d.name, t.oid, t.typtype, t.typbasetype, t.typcategory::text
  FROM type d JOIN pg_catalog.pg_type t ON d.sort = 'd' AND t.oid = d.base
)
SELECT EXISTS (SELECT FROM type b JOIN type a ON a.oid = b.oid AND a.sort <> 'd'
               WHERE b.name = :before AND a.name = :after),
       coalesce((SELECT max(k.castcontext::text) FROM pg_catalog.pg_cast k
                 JOIN type b ON b.name = :before AND b.oid = k.castsource
                 JOIN type a ON a.name = :after AND a.oid = k.casttarget), ''),
       coalesce((SELECT max(b.category) FROM type b WHERE b.name = :before), ''),
       coalesce((SELECT max(a.category) FROM type a WHERE a.name = :after), '')
""")


def find_cast(server: Connection | None, before: str, after: str) -> Cast:
    """Look for the way between two types, by the names that the server prints.

    Args:
        server: Where to look; a type that is not there yet has no casts.
        before: The type as it is, with its modifiers.
        after: The type as it shall be.
    """
    if server is None:
        return Cast(is_same=before == after)
    return Cast(*server.execute(_LOOK, {"before": before, "after": after}).one())
