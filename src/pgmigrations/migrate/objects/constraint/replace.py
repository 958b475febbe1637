"""The operations that change a constraint which stays: replaced, validated, commented on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import (
    UNRENDERED,
    DifferentObject,
    IrreversibleOperation,
    MissingObject,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import literal
from pgmigrations.migrate.objects.constraint.block import (
    IS_FIRST,
    is_other_than,
    looking_block,
    refusal,
)
from pgmigrations.migrate.objects.constraint.look import (
    Found,
    find,
    is_foreign_key,
    is_same,
    shown,
)
from pgmigrations.migrate.objects.constraint.sql import (
    adding,
    commenting,
    dropping,
    validating,
)

NOT_VALID = " NOT VALID"
MISSING_HINT = "Add it first, with op.add_constraint()"


@dataclass(eq=False)
class ReplaceConstraint(Operation):
    """Drop a constraint and add it again with another definition."""

    operation_name: ClassVar[str] = "replace_constraint"
    phase: ClassVar[Phase] = Phase.CREATE_DEPENDANT
    name: str
    table: str
    old: str
    new: str
    schema: str | None = field(default=None, kw_only=True)
    comment: str | None = field(default=None, kw_only=True)
    old_comment: str | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    is_replaced: bool = field(default=False, init=False, metadata=UNRENDERED)

    @classmethod
    def replace_constraint(
        cls,
        operations: Operations,
        name: str,
        table: str,
        old: str,
        new: str,
        *,
        schema: str | None = None,
        comment: str | None = None,
    ) -> None:
        """Give a constraint another definition, unless it means that already.

        Emits `ALTER TABLE … DROP CONSTRAINT` and `ADD CONSTRAINT`, which checks every row, under
        ACCESS EXCLUSIVE on the table, for a foreign key on both tables. A constraint that is gone,
        with a column for example, is added. Its reverse goes from `new` to `old`
        (PostgreSQL manual, ALTER TABLE).

        Example:
            op.replace_constraint(
                "positive", "one", "CHECK ((number > 0))", "CHECK ((number >= 0))"
            )

        Args:
            name: The constraint, unquoted.
            table: Its table, unquoted.
            old: What it is, as `pg_get_constraintdef()` prints it. Where the server cannot make it
                any more, since columns or labels have changed, it is not compared.
            new: What it shall be.
            schema: The table's schema; by default the first of the search path.
            comment: The comment that it has after; by default none.

        Raises:
            DifferentObject: The constraint is there and means neither `old` nor `new`.
        """
        operations.invoke(cls(name, table, old, new, schema=schema, comment=comment))

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.table, self.name)

    def runs_in(self) -> Phase:
        """Run after what a foreign key refers to."""
        return Phase.CREATE_FOREIGN_KEY if is_foreign_key(self.new) else self.phase

    def pending(self, connection: Connection) -> bool:
        """Look which of the two definitions the constraint has."""
        found = find(connection, self.schema, self.table, self.name)
        if found is None:
            return True
        if is_same(connection, self.schema, self.table, found.definition, self.new):
            self.is_replaced = True
            return found.comment != (self.comment or "")
        if is_same(connection, self.schema, self.table, found.definition, self.old) is False:
            raise DifferentObject(self.subject, self.old, found.definition)
        return True

    def statements(self) -> list[str]:
        """Return what is left to do: the two statements, and that which sets the comment again."""
        if self.is_replaced:
            return [self._commenting()]
        statements = [
            dropping(self.schema, self.table, self.name),
            adding(self.schema, self.table, self.name, self.new),
        ]
        return [*statements, self._commenting()] if self.comment else statements

    def _commenting(self) -> str:
        return commenting(self.schema, self.table, self.name, self.comment)

    def guarded_statements(self) -> list[str]:
        """Return a block that compares the definition of what is there."""
        act = f"""\
  IF {IS_FIRST} THEN
    IF note <> {literal(self.comment or "")} THEN
      {self._commenting()};
    END IF;
    RETURN;
  ELSIF {is_other_than(2)} THEN
    {refusal(self.subject)}
  END IF;
  {"; ".join(self.statements())};"""
        return [looking_block(self.schema, self.table, self.name, [self.new, self.old], act)]

    def reverse(self) -> ReplaceConstraint:
        """Go back to the definition and the comment before."""
        return ReplaceConstraint(
            self.name,
            self.table,
            self.new,
            self.old,
            schema=self.schema,
            comment=self.old_comment,
            old_comment=self.comment,
        )


@dataclass(eq=False)
class ValidateConstraint(Operation):
    """`ALTER TABLE … VALIDATE CONSTRAINT`, where it is NOT VALID."""

    operation_name: ClassVar[str] = "validate_constraint"
    phase: ClassVar[Phase] = Phase.CREATE_FOREIGN_KEY
    name: str
    table: str
    schema: str | None = field(default=None, kw_only=True)
    definition: str | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    comment: str | None = field(default=None, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def validate_constraint(
        cls, operations: Operations, name: str, table: str, *, schema: str | None = None
    ) -> None:
        """Check the rows that were there before a constraint was added NOT VALID.

        Emits `ALTER TABLE … VALIDATE CONSTRAINT`, which reads the whole table under SHARE UPDATE
        EXCLUSIVE, for a foreign key with ROW SHARE on the other table, too; it blocks no reads or
        writes. Its reverse adds the constraint NOT VALID again (PostgreSQL manual, ALTER TABLE).

        Example:
            op.validate_constraint("positive", "one")

        Args:
            name: The constraint, unquoted.
            table: Its table, unquoted.
            schema: The table's schema; by default the first of the search path.

        Raises:
            MissingObject: There is no such constraint.
        """
        operations.invoke(cls(name, table, schema=schema))

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.table, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look whether the constraint is NOT VALID."""
        found = _existing(connection, self)
        return found.definition.endswith(NOT_VALID)

    def statements(self) -> list[str]:
        """Return the one statement, which the server itself skips where it is valid."""
        return [validating(self.schema, self.table, self.name)]

    guarded_statements = statements

    def reverse(self) -> ReplaceConstraint:
        """Add it NOT VALID again."""
        if self.definition is None:
            raise IrreversibleOperation(
                f"{self.subject} cannot be made NOT VALID again: its definition is not known",
                "Write the downgrade with op.replace_constraint()",
            )
        return ReplaceConstraint(
            self.name,
            self.table,
            self.definition,
            self.definition + NOT_VALID,
            schema=self.schema,
            comment=self.comment,
            old_comment=self.comment,
        )


@dataclass(eq=False)
class CommentOnConstraint(Operation):
    """`COMMENT ON CONSTRAINT`, where it has another comment."""

    operation_name: ClassVar[str] = "comment_on_constraint"
    phase: ClassVar[Phase] = Phase.CREATE_FOREIGN_KEY
    name: str
    table: str
    comment: str | None
    existing: str | None = field(default=None, kw_only=True)
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def comment_on_constraint(
        cls,
        operations: Operations,
        name: str,
        table: str,
        comment: str | None,
        *,
        existing: str | None = None,
        schema: str | None = None,
    ) -> None:
        """Set or take away the comment on a constraint.

        Emits `COMMENT ON CONSTRAINT … IS …`, which takes SHARE UPDATE EXCLUSIVE on the table. Its
        reverse sets the comment before again (PostgreSQL manual, COMMENT).

        Example:
            op.comment_on_constraint("positive", "one", "Nobody owes", existing=None)

        Args:
            name: The constraint, unquoted.
            table: Its table, unquoted.
            comment: The comment; None for no comment.
            existing: The comment before; by default none.
            schema: The table's schema; by default the first of the search path.

        Raises:
            DifferentObject: The comment is neither of the two.
            MissingObject: There is no such constraint.
        """
        operations.invoke(cls(name, table, comment, existing=existing, schema=schema))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"the comment on {shown(self.schema, self.table, self.name)}"

    def pending(self, connection: Connection) -> bool:
        """Look which comment there is."""
        found = _existing(connection, self).comment
        if found == (self.comment or ""):
            return False
        if found not in ("", self.existing or ""):
            raise DifferentObject(self.subject, repr(self.existing), repr(found))
        return True

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [commenting(self.schema, self.table, self.name, self.comment)]

    def guarded_statements(self) -> list[str]:
        """Return a block that compares the comment that is there."""
        expected = ", ".join(literal(one or "") for one in (self.comment, self.existing, ""))
        act = f"""\
  IF note NOT IN ({expected}) THEN
    RAISE EXCEPTION '% is there, but differs: %', {literal(self.subject)}, note;
  END IF;
  {self.statements()[0]};"""
        return [looking_block(self.schema, self.table, self.name, [], act)]

    def reverse(self) -> CommentOnConstraint:
        """Set the comment before."""
        return CommentOnConstraint(
            self.name, self.table, self.existing, existing=self.comment, schema=self.schema
        )


def _existing(connection: Connection, operation: ValidateConstraint | CommentOnConstraint) -> Found:
    found = find(connection, operation.schema, operation.table, operation.name)
    if found is None:
        subject = shown(operation.schema, operation.table, operation.name)
        raise MissingObject(subject, MISSING_HINT)
    return found
