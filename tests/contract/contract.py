"""What every kind keeps, whatever it is: the one contract that the samples of all kinds go through.

A sample is a pair of states. The contract goes from the first to the second and back through
generated revisions, connected and by `--sql`, and looks at the database after every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine, text
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.options import (
    declared_roles,
    declared_schemas,
    granted_schemas,
    named_grantees,
)
from pgmigrations.migrate.core.snapshot import Identity, Record, Scope, snapshot
from pgmigrations.migrate.kinds import KINDS
from pgmigrations.run.ledger import SUFFIX
from tests.support.dump import schema_dump
from tests.support.project import Project
from tests.support.script import run_script

VERSION_TABLE = "pgmigrations"
EmptyDatabase = Callable[[], AbstractContextManager[str]]

# Rows of the catalogs that an operation makes or changes, by the transaction that did it.
# Comments are left out: COMMENT ON writes the same text again.
_ROWS = text("""
SELECT 'pg_class', oid::text, xmin::text FROM pg_class WHERE oid >= 16384
UNION ALL SELECT 'pg_type', oid::text, xmin::text FROM pg_type WHERE oid >= 16384
UNION ALL SELECT 'pg_enum', oid::text, xmin::text FROM pg_enum WHERE oid >= 16384
UNION ALL SELECT 'pg_attrdef', oid::text, xmin::text FROM pg_attrdef WHERE oid >= 16384
UNION ALL SELECT 'pg_constraint', oid::text, xmin::text FROM pg_constraint WHERE oid >= 16384
UNION ALL SELECT 'pg_index', indexrelid::text, xmin::text FROM pg_index WHERE indexrelid >= 16384
UNION ALL SELECT 'pg_extension', oid::text, xmin::text FROM pg_extension WHERE oid >= 16384
UNION ALL SELECT 'pg_attribute', attrelid || '.' || attnum, xmin::text FROM pg_attribute
          WHERE attrelid >= 16384
ORDER BY 1, 2
""")


# Of the session's server, the tests of other workers make and drop roles meanwhile.
_ACCESS = text("""
SELECT concat_ws(' ', 'grant', a.what, coalesce(g.rolname, 'public'), a.privilege, a.grantable)
FROM (
  SELECT c.oid::regclass::text, (e).grantee, (e).privilege_type, (e).is_grantable
  FROM pg_class c,
       aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char",
                                              relowner))) e
  WHERE c.oid >= 16384 AND relkind IN ('r', 'p', 'v', 'S') AND relname NOT LIKE 'pgmigrations%'
  UNION ALL
  SELECT nspname, (e).grantee, (e).privilege_type, (e).is_grantable
  FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) e
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  UNION ALL
  SELECT 'database', (e).grantee, (e).privilege_type, (e).is_grantable
  FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) e
  WHERE datname = current_database()
  UNION ALL
  SELECT concat_ws(' ', 'default', defaclrole::regrole, defaclnamespace::regnamespace,
                   defaclobjtype), (e).grantee, (e).privilege_type, (e).is_grantable
  FROM pg_default_acl, aclexplode(defaclacl) e
) a (what, grantee, privilege, grantable) LEFT JOIN pg_roles g ON g.oid = a.grantee
UNION ALL
SELECT concat_ws(' ', 'role', to_jsonb(r) - ARRAY['oid', 'rolpassword'],
                 shobj_description(oid, 'pg_authid'))
FROM pg_roles r WHERE rolname !~ '^pg_' AND current_database() = 'own'
UNION ALL
SELECT concat_ws(' ', 'member', roleid::regrole, member::regrole) FROM pg_auth_members
WHERE member >= 16384 AND current_database() = 'own'
ORDER BY 1
""")


@dataclass(frozen=True)
class Sample:
    """Two states of the models, the database that they live in, and how to make it by hand.

    Attributes:
        kind: The kind that it is about, as `Kind.name`.
        name: What it shows.
        after: Builds the models.
        before: Builds the models that the project has had before.
        setup: SQL that somebody else has run on the empty database, such as CREATE SCHEMA.
        by_hand: SQL that makes what `MetaData.create_all()` cannot, before it is called.
        extensions: Those that the server must offer.
        own_server: Whether it changes what all databases of a server have in common.
        rewrites: Whether running the revision again may write rows of the catalogs anew, as
            Alembic's `op.alter_column` does.
    """

    kind: str
    name: str
    after: Callable[[], MetaData]
    before: Callable[[], MetaData] = MetaData
    setup: Sequence[str] = ()
    by_hand: Sequence[str] = ()
    extensions: Sequence[str] = ()
    own_server: bool = False
    rewrites: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


@dataclass
class ContractRun:
    """One sample on its way through the contract."""

    sample: Sample
    folder: Path
    empty_database: EmptyDatabase
    revision: Path | None = field(default=None, init=False)

    def run(self) -> None:
        """Check everything; the steps depend on one another."""
        with ExitStack() as stack:
            url, other = (stack.enter_context(self.empty_database()) for _ in range(2))
            settings = {}
            if self.sample.own_server:
                settings["scratch_url"] = stack.enter_context(self.empty_database())
            for one in (url, other):
                run_script(one, ";".join(self.sample.setup))
            project = Project(self.folder, url, settings=settings)
            start = self._start(project)
            self.full = self._by_hand(other)
            self._connected(project, start)
            project.downgrade("base")
            with self.empty_database() as offline:
                run_script(offline, ";".join(self.sample.setup))
                self._offline(project, offline, start)

    def _start(self, project: Project) -> str:
        if project.models(self.sample.before()).autogenerate("before"):
            project.upgrade()
        return dump(project.url)

    def _by_hand(self, url: str) -> tuple[str, dict[Identity, Record]]:
        run_script(url, ";".join(self.sample.by_hand))
        metadata = self.sample.after()
        engine = create_engine(url, poolclass=NullPool)
        metadata.create_all(engine)
        return dump(url), records(url, metadata)

    def _connected(self, project: Project, start: str) -> None:
        metadata = self.sample.after()
        self.revision = project.models(metadata).autogenerate("sample")
        assert self.revision is not None
        project.upgrade()
        assert dump(project.url) == self.full[0]
        assert records(project.url, metadata) == self.full[1]
        second = project.autogenerate("second")
        assert second is None, second.read_text()
        assert project.check()
        rows = catalog_rows(project.url)
        project.again(self.revision)
        assert dump(project.url) == self.full[0]
        if not self.sample.rewrites:
            assert catalog_rows(project.url) == rows
        project.downgrade()
        assert dump(project.url) == start
        project.again(self.revision, "downgrade")
        assert dump(project.url) == start
        project.upgrade()
        assert dump(project.url) == self.full[0]

    def _offline(self, project: Project, url: str, start: str) -> None:
        assert self.revision is not None
        run_script(url, project.sql("upgrade"))
        assert dump(url) == self.full[0]
        again = project.again_sql(self.revision)
        rows = catalog_rows(url)
        run_script(url, again)
        assert dump(url) == self.full[0]
        if not self.sample.rewrites:
            assert catalog_rows(url) == rows
        parent = project.module(self.revision).down_revision or "base"
        run_script(url, project.sql("downgrade", f"{self.revision.stem}:{parent}"))
        assert dump(url) == start
        run_script(url, project.again_sql(self.revision, "downgrade"))
        assert dump(url) == start


def dump(url: str) -> str:
    """Dump a database, its version table left out, with who may do what."""
    schema = schema_dump(url, exclude_tables=[f"{VERSION_TABLE}*"])
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return "\n".join([schema, *connection.execute(_ACCESS).scalars()])


def records(url: str, metadata: MetaData) -> dict[Identity, Record]:
    """Read all kinds of a database, the columns of a table by their names."""
    scope = Scope(
        "public",
        frozenset({"public"} | declared_schemas([metadata])),
        ignore_relations=frozenset({("public", VERSION_TABLE), ("public", VERSION_TABLE + SUFFIX)}),
        roles=frozenset(declared_roles([metadata])),
        grantees=frozenset(declared_roles([metadata]) | named_grantees([metadata])),
        granted_schemas=frozenset(granted_schemas([metadata])),
    )
    with create_engine(url, poolclass=NullPool).connect() as connection:
        found: list[Record] = [one for kind in KINDS for one in kind.read(connection, scope)]
    return dict(snapshot(found))


def catalog_rows(url: str) -> list[tuple[Any, ...]]:
    """Read which transactions wrote the catalogs' rows."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return [tuple(row) for row in connection.execute(_ROWS)]
