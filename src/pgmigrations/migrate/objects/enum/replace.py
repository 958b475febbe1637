"""The operation that removes or reorders labels: the type is made anew under the same name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.operation import DifferentObject, Operation, perform
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.objects.enum.look import checked_labels, existing_labels, shown
from pgmigrations.migrate.objects.enum.rebuild import rebuild_block
from pgmigrations.migrate.objects.enum.rebuild_refusal import refusal_of


@dataclass(eq=False)
class ReplaceEnum(Operation):
    """Give an enumerated type another list of labels, with its rows kept."""

    operation_name: ClassVar[str] = "replace_enum"
    phase: ClassVar[Phase] = Phase.NARROW_TYPE
    name: str
    old: Sequence[str]
    new: Sequence[str]
    replace: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def replace_enum(
        cls,
        operations: Operations,
        name: str,
        old: Sequence[str],
        new: Sequence[str],
        *,
        replace: Mapping[str, str] | None = None,
        schema: str | None = None,
    ) -> None:
        """Remove or reorder the labels of an enumerated type, which no ALTER TYPE can.

        Renames the type, creates it anew with its owner, comment and privileges, and changes every
        column of the type or of arrays of it by `ALTER TABLE … ALTER COLUMN … TYPE`. Defaults,
        checks, keys, indexes, statistics and generated columns on them are dropped before and made
        again after, as they were; a generated column is then its table's last. One transaction,
        which locks all those tables in ACCESS EXCLUSIVE mode first and rewrites them; their
        planner statistics are gone until the next ANALYZE. Where a live application cannot wait
        that long, leave the label unused instead.

        Where the type has the labels `new` already, nothing is locked or done. Its reverse goes
        from `new` to `old`; what `replace` has changed stays changed.

        Example:
            op.replace_enum(
                "job_status", ["pending", "failed", "broken"], ["pending", "failed"],
                replace={"broken": "failed"},
            )

        Args:
            name: The type, unquoted.
            old: The labels as they are, in order.
            new: The labels as they shall be, in order.
            replace: For labels of `old`, those that rows, elements of arrays, and defaults that
                are one label get instead, all at the same time: `{"a": "b", "b": "a"}` swaps.
                A label that stays may be named, too.
            schema: The type's schema; by default the first of the search path.

        Raises:
            LabelsInUse: Rows hold a label that goes and `replace` does not name; with counts.
            LabelInDefinition: A check, index, generated column or other default says such a label.
            DependantsInTheWay: A view, function, trigger, policy, domain, composite type or the
                like uses the type, or a table is partitioned by it; with their names.
            NotTheOwner: The role owns not the type and all those tables.
            RowsHidden: Row-level security binds the role, so that it cannot count.
            DifferentObject: The type's labels are neither `old` nor `new`.
            MissingObject: There is no such enum.
        """
        operations.invoke(cls(name, old, new, replace=dict(replace or {}), schema=schema))

    def __post_init__(self) -> None:
        checked_labels(self.new)
        if self.replace and list(self.old) == list(self.new):
            # The type would be found as it shall be, and the rows left as they are.
            raise ValueError("replace= needs labels that change; change rows alone by UPDATE")
        for label, substitute in self.replace.items():
            if label not in self.old or substitute not in self.new:
                raise ValueError(
                    f"replace={{{label!r}: {substitute!r}}} must go from a label of `old` "
                    "to a label of `new`"
                )

    def call(self) -> tuple[list[Any], dict[str, Any]]:
        """Leave an empty `replace` out."""
        positional, keyword = super().call()
        if not keyword.get("replace"):
            keyword.pop("replace", None)
        return positional, keyword

    def runs_in(self) -> Phase:
        """Run before the tables where labels only come, after them where one goes."""
        return Phase.CREATE_TYPE if set(self.old) <= set(self.new) else Phase.NARROW_TYPE

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look which of the two lists the type has."""
        labels = existing_labels(connection, self.schema, self.name)
        if labels == tuple(self.new):
            return False
        if labels != tuple(self.old):
            raise DifferentObject(
                self.subject, f"labels {', '.join(self.old)}", f"labels {', '.join(labels)}"
            )
        return True

    def statements(self) -> list[str]:
        """Return the block that rebuilds the type; it looks by itself, too."""
        return [rebuild_block(self.schema, self.name, self.old, self.new, self.replace)]

    guarded_statements = statements

    def reverse(self) -> ReplaceEnum:
        """Go back to the labels before."""
        return ReplaceEnum(self.name, self.new, self.old, schema=self.schema)

    def merged(self, following: MigrateOperation) -> MigrateOperation | None:
        """Rebuild once where a second rebuild of the same type follows."""
        if (
            isinstance(following, ReplaceEnum)
            and (following.name, following.schema) == (self.name, self.schema)
            and list(following.old) == list(self.new)
            and not self.replace
            and not following.replace
        ):
            return ReplaceEnum(self.name, self.old, following.new, schema=self.schema)
        return None


def perform_replacement(operations: Operations, operation: ReplaceEnum) -> None:
    """Rebuild the type, and say what is in the way where the block refuses."""
    try:
        perform(operations, operation)
    except DBAPIError as error:
        refusal = refusal_of(operation.subject, error)
        if refusal is None:
            raise
        raise refusal from error
