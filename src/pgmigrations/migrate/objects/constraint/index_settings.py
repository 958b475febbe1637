"""The operation that changes what a constraint's index has besides its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.core.operation import DifferentObject, MissingObject, Operation
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, identifier, literal, qualified
from pgmigrations.migrate.objects.constraint.catalog import INDEX_SETTINGS
from pgmigrations.migrate.objects.constraint.look import shown
from pgmigrations.migrate.objects.constraint.replace import MISSING_HINT

_FIND = text(f"""
SELECT {INDEX_SETTINGS} FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = coalesce(:schema, :here) AND c.relname = :table AND k.conname = :name
""")
_CLUSTERED = "clustered"
_TABLESPACE = "tablespace="


@dataclass(eq=False)
class ChangeConstraintIndex(Operation):
    """`ALTER INDEX` and `CLUSTER ON`, for the index of a key, unique or exclusion constraint."""

    operation_name: ClassVar[str] = "change_constraint_index"
    phase: ClassVar[Phase] = Phase.CREATE_FOREIGN_KEY
    name: str
    table: str
    old: Sequence[str]
    new: Sequence[str]
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def change_constraint_index(
        cls,
        operations: Operations,
        name: str,
        table: str,
        old: Sequence[str],
        new: Sequence[str],
        *,
        schema: str | None = None,
    ) -> None:
        """Change the settings of the index that a constraint has, unless that is done.

        Emits `ALTER INDEX … SET` and `RESET` (SHARE UPDATE EXCLUSIVE on the index; a storage
        parameter counts for pages that are written later), `ALTER INDEX … SET TABLESPACE` (ACCESS
        EXCLUSIVE on the index, which it copies) and `ALTER TABLE … CLUSTER ON` (SHARE UPDATE
        EXCLUSIVE on the table). Its reverse goes from `new` to `old` (PostgreSQL manual, ALTER
        INDEX).

        Example:
            op.change_constraint_index("book_pkey", "book", [], ["clustered", "fillfactor=70"])

        Args:
            name: The constraint, unquoted.
            table: Its table, unquoted.
            old: The settings before: storage parameters such as `fillfactor=70`, `clustered`, and
                `tablespace=` with its name where it is not the database's own.
            new: The settings after.
            schema: The table's schema; by default the first of the search path.

        Raises:
            DifferentObject: The settings are neither of the two.
            MissingObject: There is no such constraint.
        """
        operations.invoke(cls(name, table, old, new, schema=schema))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"the index of {shown(self.schema, self.table, self.name)}"

    def pending(self, connection: Connection) -> bool:
        """Look which settings there are."""
        here = connection.execute(text("SELECT current_schema()")).scalar_one()
        names = {"schema": self.schema, "here": here, "table": self.table, "name": self.name}
        with pinned(connection):
            found = connection.execute(_FIND, names).scalar_one_or_none()
        if found is None and not self.new:
            # It went with its constraint.
            return False
        if found is None:
            raise MissingObject(shown(self.schema, self.table, self.name), MISSING_HINT)
        if sorted(found) == sorted(self.new):
            return False
        if sorted(found) != sorted(self.old):
            wanted = f"{list(self.old)} or {list(self.new)}"
            raise DifferentObject(self.subject, wanted, str(list(found)))
        return True

    def statements(self) -> list[str]:
        """Return the statements, which may be said again."""
        index = qualified(self.schema, self.name)
        old, new = _parameters(self.old), _parameters(self.new)
        statements = []
        gone = [name for name in old if name not in new]
        if gone:
            statements.append(f"ALTER INDEX IF EXISTS {index} RESET ({', '.join(gone)})")
        if new != old and new:
            settings = ", ".join(f"{name} = {literal(value)}" for name, value in new.items())
            statements.append(f"ALTER INDEX IF EXISTS {index} SET ({settings})")
        space = _tablespace(self.new)
        if space != _tablespace(self.old):
            statements.append(_moved(index, space))
        is_clustered = _CLUSTERED in self.new
        if is_clustered != (_CLUSTERED in self.old):
            statements.append(self._marked() if is_clustered else self._unmarked())
        return statements

    guarded_statements = statements

    def _marked(self) -> str:
        table = qualified(self.schema, self.table)
        return f"ALTER TABLE {table} CLUSTER ON {identifier(self.name)}"

    def _unmarked(self) -> str:
        """Write a block that leaves the mark of another index."""
        work = f"ALTER TABLE {qualified(self.schema, self.table)} SET WITHOUT CLUSTER"
        index = literal(qualified(self.schema, self.name))
        condition = f"""EXISTS (SELECT FROM pg_catalog.pg_index i
                  WHERE i.indexrelid = to_regclass({index}) AND i.indisclustered)"""
        return do_block(f"BEGIN\n  IF {condition} THEN\n    {work};\n  END IF;\nEND")

    def reverse(self) -> ChangeConstraintIndex:
        """Go back to the settings before."""
        return ChangeConstraintIndex(self.name, self.table, self.new, self.old, schema=self.schema)


def _parameters(settings: Sequence[str]) -> dict[str, str]:
    return dict(
        one.split("=", 1)
        for one in settings
        if one != _CLUSTERED and not one.startswith(_TABLESPACE)
    )


def _tablespace(settings: Sequence[str]) -> str:
    found = (one for one in settings if one.startswith(_TABLESPACE))
    return next(found, "").removeprefix(_TABLESPACE)


def _moved(index: str, space: str) -> str:
    move = f"ALTER INDEX IF EXISTS {index} SET TABLESPACE "
    if space:
        return f"{move}{identifier(space)}"
    # The database's own has a name that only the server knows.
    return do_block(f"""\
BEGIN
  EXECUTE {literal(move)} || (
    SELECT quote_ident(s.spcname) FROM pg_catalog.pg_tablespace s
    JOIN pg_catalog.pg_database d ON d.dattablespace = s.oid
    WHERE d.datname = current_database());
END""")
