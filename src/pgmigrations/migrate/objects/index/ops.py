"""The operations that make an index by its definition, or change one in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from alembic.operations import Operations
from alembic.operations.ops import DropIndexOp, MigrateOperation
from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import (
    RELATION,
    DifferentObject,
    MissingObject,
    Name,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, qualified
from pgmigrations.migrate.objects.index.definition import Definition
from pgmigrations.migrate.objects.index.look import find, guard, is_same, shown
from pgmigrations.migrate.objects.index.options import (
    DEFAULTS,
    changes,
    complete,
    condition,
    creation,
)


@dataclass(eq=False)
class CreateIndexAs(Operation):
    """`CREATE INDEX` by its whole definition, unless it is there."""

    operation_name: ClassVar[str] = "create_index_as"
    phase: ClassVar[Phase] = Phase.CREATE_DEPENDANT
    name: str
    table: str
    definition: str
    options: Mapping[str, Any] | None = field(default=None, kw_only=True)
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def create_index_as(
        cls,
        operations: Operations,
        name: str,
        table: str,
        definition: str,
        *,
        options: Mapping[str, Any] | None = None,
        schema: str | None = None,
    ) -> None:
        """Create an index as the server printed it, unless it is there and the same.

        Emits `CREATE INDEX`, which takes a SHARE lock on the table: reading goes on, writing
        waits. One that is INVALID is made anew. Its reverse is `op.drop_index`.

        Example:
            op.create_index_as(
                "ix_title", "page", "CREATE INDEX ix_title ON public.page USING gin (title)"
            )

        Args:
            name: The index, unquoted.
            table: Its table, unquoted.
            definition: As `pg_get_indexdef()` prints it. The name and the schema in it are not
                looked at.
            options: `tablespace`, `statistics` (a list such as `["2=500"]`: column number and
                target), `clustered` and `comment`, where they differ from the default.
            schema: The table's schema; by default the first of the search path.

        Raises:
            DifferentObject: An index of that name is there, and is another one.
            UnreadableDefinition: The definition has another form than the server prints.
        """
        operations.invoke(cls(name, table, definition, options=options, schema=schema))

    def takes(self) -> list[Name]:
        """Return the index's name."""
        return [(RELATION, self.schema, self.name)]

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    @property
    def _wanted(self) -> Definition:
        return Definition.parse(self.definition)

    def pending(self, connection: Connection) -> bool:
        """Look for the index, and let the server compare the definitions."""
        found = find(connection, self.schema, self.name)
        if found is None or not found.is_valid:
            return True
        same = is_same(connection, self.schema, found, self._wanted)
        if not same or found.options != complete(self.options):
            wanted = f"{self.definition} {dict(self.options or {})}"
            raise DifferentObject(self.subject, wanted, f"{found.definition} {found.options}")
        return False

    def statements(self) -> list[str]:
        """Return what makes it; an INVALID one goes first."""
        statement = self._wanted.statement(self.schema, self.name)
        made = creation(self.schema, self.table, self.name, statement, self.options)
        return [f"DROP INDEX IF EXISTS {qualified(self.schema, self.name)}", *made]

    def guarded_statements(self) -> list[str]:
        """Return a block that lets the server compare the definitions."""
        work = "".join(f"{one};\n    " for one in self.statements())
        return [do_block(guard(self.schema, self.name, self._wanted, None, work.rstrip()))]

    def reverse(self) -> MigrateOperation:
        """Drop it again."""
        return DropIndex(self)


class DropIndex(DropIndexOp):
    """Alembic's `op.drop_index` of an index whose definition is known."""

    phase: ClassVar[Phase] = Phase.DROP_DEPENDANT

    def __init__(self, created: CreateIndexAs) -> None:
        super().__init__(created.name, table_name=created.table, schema=created.schema)
        self.created = created

    def reverse(self) -> CreateIndexAs:  # type: ignore[override]
        """Create it as it was."""
        return self.created

    def to_diff_tuple(self) -> tuple[str, Any]:
        """Return it as `alembic check` prints it."""
        return ("drop_index", self.created.definition)


@dataclass(eq=False)
class AlterIndex(Operation):
    """`ALTER INDEX`, and `ALTER TABLE … CLUSTER ON`: what changes without a new build."""

    operation_name: ClassVar[str] = "alter_index"
    phase: ClassVar[Phase] = Phase.CREATE_DEPENDANT
    name: str
    table: str
    options: Mapping[str, Any]
    existing: Mapping[str, Any] = field(kw_only=True)
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def alter_index(
        cls,
        operations: Operations,
        name: str,
        table: str,
        options: Mapping[str, Any],
        *,
        existing: Mapping[str, Any],
        schema: str | None = None,
    ) -> None:
        """Move an index, set its statistics targets, or let CLUSTER go by it.

        Emits `ALTER INDEX … SET TABLESPACE` (ACCESS EXCLUSIVE on the index while it is copied),
        `ALTER INDEX … SET STATISTICS` (SHARE UPDATE EXCLUSIVE on the index) and `ALTER TABLE …
        CLUSTER ON` or `SET WITHOUT CLUSTER` (SHARE UPDATE EXCLUSIVE on the table). Its reverse
        swaps what is wanted with what existed.

        Example:
            op.alter_index("ix_n", "t", {"clustered": True}, existing={"clustered": False})

        Args:
            name: The index, unquoted.
            table: Its table, unquoted.
            options: What is wanted: `tablespace` (empty for the database's own), `statistics` (a
                list such as `["2=500"]`: column number and target), `clustered`.
            existing: The same before, for the reverse.
            schema: The table's schema; by default the first of the search path.

        Raises:
            MissingObject: There is no such index.
            DifferentObject: It is neither as wanted nor as it was.
            UnknownOption: An index has no such property.
        """
        operations.invoke(cls(name, table, options, existing=existing, schema=schema))

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look at the properties."""
        complete(self.options)
        found = find(connection, self.schema, self.name)
        if found is None:
            raise MissingObject(self.subject, "Create it first, with op.create_index()")
        for key, value in self.options.items():
            if found.options[key] not in (value, self.existing.get(key, DEFAULTS[key])):
                raise DifferentObject(
                    self.subject, f"{key} {value!r}", f"{key} {found.options[key]!r}"
                )
        return any(found.options[key] != value for key, value in self.options.items())

    def statements(self) -> list[str]:
        """Return a statement for each property."""
        return list(
            changes(self.schema, self.table, self.name, self.existing, self.options).values()
        )

    def guarded_statements(self) -> list[str]:
        """Return a block that looks at each property."""
        complete(self.options)
        set_ = changes(self.schema, self.table, self.name, self.existing, self.options)
        parts = [
            f"  IF NOT {condition(self.schema, self.name, key, self.options[key])} THEN\n"
            f"    {sql};\n  END IF;\n"
            for key, sql in set_.items()
        ]
        return [do_block(f"BEGIN\n{''.join(parts)}END")]

    def reverse(self) -> AlterIndex:
        """Go back to the properties before."""
        return AlterIndex(
            self.name, self.table, self.existing, existing=self.options, schema=self.schema
        )


@dataclass(eq=False)
class CommentOnIndex(Operation):
    """`COMMENT ON INDEX`."""

    operation_name: ClassVar[str] = "comment_on_index"
    phase: ClassVar[Phase] = Phase.CREATE_DEPENDANT
    name: str
    comment: str | None
    existing: str | None = field(default=None, kw_only=True)
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def comment_on_index(
        cls,
        operations: Operations,
        name: str,
        comment: str | None,
        *,
        existing: str | None = None,
        schema: str | None = None,
    ) -> None:
        """Set or take away an index's comment.

        Emits `COMMENT ON INDEX`, which takes a SHARE UPDATE EXCLUSIVE lock on the index. Its
        reverse sets what existed.

        Example:
            op.comment_on_index("ix_title", "For the search page")

        Args:
            name: The index, unquoted.
            comment: The text; None takes it away.
            existing: The comment before, for the reverse.
            schema: The index's schema; by default the first of the search path.

        Raises:
            MissingObject: There is no such index.
        """
        operations.invoke(cls(name, comment, existing=existing, schema=schema))

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look at the comment."""
        found = find(connection, self.schema, self.name)
        if found is None:
            raise MissingObject(self.subject, "Create it first, with op.create_index()")
        return found.options["comment"] != (self.comment or "")

    def statements(self) -> Sequence[str]:
        """Return the one statement, which may be repeated."""
        options = {"comment": self.comment or ""}
        return list(changes(self.schema, "", self.name, {}, options).values())

    guarded_statements = statements

    def reverse(self) -> CommentOnIndex:
        """Set the comment before."""
        return CommentOnIndex(self.name, self.existing, existing=self.comment, schema=self.schema)
