"""The operations on single labels of an enumerated type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.operation import (
    UNRENDERED,
    DifferentObject,
    IrreversibleOperation,
    MissingObject,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, literal, qualified
from pgmigrations.migrate.objects.enum.look import (
    checked_labels,
    existing_labels,
    shown,
    type_lookup,
)
from pgmigrations.migrate.objects.enum.rebuild import count_block
from pgmigrations.migrate.objects.enum.rebuild_refusal import refusal_of
from pgmigrations.migrate.objects.enum.replace import ReplaceEnum


@dataclass(eq=False)
class AddEnumValue(Operation):
    """`ALTER TYPE … ADD VALUE`, committed at once."""

    operation_name: ClassVar[str] = "add_enum_value"
    phase: ClassVar[Phase] = Phase.CREATE_TYPE
    # PostgreSQL refuses to use a new label in the transaction that added it (55P04).
    autocommit: ClassVar[bool] = True
    name: str
    value: str
    before: str | None = field(default=None, kw_only=True)
    after: str | None = field(default=None, kw_only=True)
    schema: str | None = field(default=None, kw_only=True)
    losing: Sequence[str] | None = field(default=None, kw_only=True)
    existing: tuple[str, ...] | None = field(default=None, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def add_enum_value(
        cls,
        operations: Operations,
        name: str,
        value: str,
        *,
        before: str | None = None,
        after: str | None = None,
        schema: str | None = None,
        losing: Sequence[str] | None = None,
    ) -> None:
        """Add a label to an enumerated type, unless it has it.

        Emits `ALTER TYPE … ADD VALUE IF NOT EXISTS`, which locks no table, in a transaction of its
        own: what the revision did before it is committed, since the label could not be used
        otherwise. The reverse, in a generated revision, is `op.replace_enum` without the label.

        Example:
            op.add_enum_value("job_status", "queued", after="pending")

        Args:
            name: The type, unquoted.
            value: The new label, at most 63 bytes.
            before: The label that it goes before.
            after: The label that it goes after; with neither it is the last.
            schema: The type's schema; by default the first of the search path.
            losing: Labels that a later `op.replace_enum` of the revision takes away. Where rows
                hold one, this refuses already, before anything is committed; leave it out where
                the revision changes those rows in between.

        Raises:
            LabelsInUse: Rows hold a label of `losing`.
            DifferentObject: The label is there, on the wrong side of its neighbour.
            MissingObject: There is no such enum, or no such neighbour.
        """
        operations.invoke(
            cls(name, value, before=before, after=after, schema=schema, losing=losing)
        )

    def __post_init__(self) -> None:
        if self.before is not None and self.after is not None:
            raise ValueError("op.add_enum_value() takes before= or after=, not both")

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"label {self.value} of {shown(self.schema, self.name)}"

    def pending(self, connection: Connection) -> bool:
        """Look for the label, and on which side of its neighbour it is."""
        labels = existing_labels(connection, self.schema, self.name)
        neighbour = self.before if self.before is not None else self.after
        if neighbour is not None and neighbour not in labels:
            if self.value in labels:
                return False
            raise MissingObject(
                f"label {neighbour} of {shown(self.schema, self.name)}",
                f"The type has {', '.join(labels)}",
            )
        if self.value not in labels:
            self._refuse_loss(connection)
            return True
        if neighbour is not None:
            is_before = labels.index(self.value) < labels.index(neighbour)
            if is_before is not (self.before is not None):
                side = "before" if self.before is not None else "after"
                raise DifferentObject(
                    self.subject, f"it {side} {neighbour}", f"the order {', '.join(labels)}"
                )
        return False

    def _refuse_loss(self, connection: Connection) -> None:
        if not self.losing:
            return
        try:
            connection.exec_driver_sql(
                count_block(self.schema, self.name, self.losing),
                execution_options={"no_parameters": True},
            )
        except DBAPIError as error:
            refusal = refusal_of(shown(self.schema, self.name), error)
            if refusal is None:
                raise
            raise refusal from error

    def statements(self) -> list[str]:
        """Return the one statement."""
        checked_labels([self.value])
        place = ""
        if self.before is not None:
            place = f" BEFORE {literal(self.before)}"
        elif self.after is not None:
            place = f" AFTER {literal(self.after)}"
        return [
            f"ALTER TYPE {qualified(self.schema, self.name)} "
            f"ADD VALUE IF NOT EXISTS {literal(self.value)}{place}"
        ]

    def guarded_statements(self) -> list[str]:
        """Return the statement, behind the count of the rows that are in the way."""
        counted = [count_block(self.schema, self.name, self.losing)] if self.losing else []
        return [*counted, *self.statements()]

    def reverse(self) -> ReplaceEnum:
        """Rebuild the type without the label."""
        if self.existing is None:
            raise IrreversibleOperation(
                f"{self.subject} cannot be taken back without knowing the other labels",
                "Write op.replace_enum() in downgrade() by hand",
            )
        labels = list(self.existing)
        place = len(labels)
        if self.before is not None:
            place = labels.index(self.before)
        elif self.after is not None:
            place = labels.index(self.after) + 1
        with_value = [*labels[:place], self.value, *labels[place:]]
        return ReplaceEnum(self.name, with_value, labels, schema=self.schema)


@dataclass(eq=False)
class RenameEnumValue(Operation):
    """`ALTER TYPE … RENAME VALUE`."""

    operation_name: ClassVar[str] = "rename_enum_value"
    phase: ClassVar[Phase] = Phase.RENAME
    name: str
    old: str
    new: str
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def rename_enum_value(
        cls, operations: Operations, name: str, old: str, new: str, *, schema: str | None = None
    ) -> None:
        """Rename a label of an enumerated type, unless that is done.

        Emits `ALTER TYPE … RENAME VALUE`, which locks no table and rewrites nothing; rows,
        defaults and indexes follow by themselves. Its reverse renames it back. An application
        that still says the old label fails from then on.

        Example:
            op.rename_enum_value("job_status", "canceled", "cancelled")

        Args:
            name: The type, unquoted.
            old: The label as it is.
            new: The label as it shall be, at most 63 bytes.
            schema: The type's schema; by default the first of the search path.

        Raises:
            DifferentObject: The type has both labels.
            MissingObject: There is no such enum, or it has neither label.
        """
        operations.invoke(cls(name, old, new, schema=schema))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"label {self.old} of {shown(self.schema, self.name)}"

    def pending(self, connection: Connection) -> bool:
        """Look which of the two labels is there."""
        labels = existing_labels(connection, self.schema, self.name)
        if self.old in labels and self.new in labels:
            raise DifferentObject(
                self.subject, f"it renamed to {self.new}", f"both in {', '.join(labels)}"
            )
        if self.old not in labels and self.new not in labels:
            raise MissingObject(self.subject, f"The type has {', '.join(labels)}")
        return self.old in labels

    def statements(self) -> list[str]:
        """Return the one statement."""
        checked_labels([self.new])
        return [
            f"ALTER TYPE {qualified(self.schema, self.name)} "
            f"RENAME VALUE {literal(self.old)} TO {literal(self.new)}"
        ]

    def guarded_statements(self) -> list[str]:
        """Return a block that renames only what is not renamed yet."""
        return [
            do_block(f"""\
DECLARE
  found text[] := {type_lookup(self.schema, self.name)};
BEGIN
  IF {literal(self.old)} = ANY (found) OR found IS NULL OR {literal(self.new)} <> ALL (found) THEN
    {self.statements()[0]};
  END IF;
END""")
        ]

    def reverse(self) -> RenameEnumValue:
        """Rename it back."""
        return RenameEnumValue(self.name, self.new, self.old, schema=self.schema)
