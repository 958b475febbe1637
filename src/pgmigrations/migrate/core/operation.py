"""The base of our operations: look, act, reverse, render."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation, ModifyTableOps
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.execution import (
    connection_of,
    execute,
    is_offline,
    log,
    outside_transaction,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.shared_object import refuse_shared
from pgmigrations.run.transient import MadeMeanwhile, sqlstate

UNRENDERED = {"render": False}
"""Field metadata of what an operation knows for its reverse but a revision does not say."""


RELATION = "relation"
TYPE = "type"
Name: TypeAlias = tuple[str, str | None, str]
"""What a name is told apart from others by: RELATION or TYPE, the schema, the name."""


class DifferentObject(PgMigrationsError):
    """An object of the wanted name is there, and is another one."""

    def __init__(self, what: str, wanted: str, found: str) -> None:
        super().__init__(
            f"{what} is there, but differs: the revision wants {wanted}, the database has {found}",
            "Change one to match the other, then run this again",
        )
        self.subject = what
        self.wanted = wanted
        self.found = found


class MissingObject(PgMigrationsError):
    """What an operation would change is not there."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"{what} does not exist", hint)
        self.subject = what


class WithoutEffect(PgMigrationsError):
    """A statement that the server took, and that has changed nothing."""

    def __init__(self, operation: Operation, role: str) -> None:
        super().__init__(
            f"op.{operation.operation_name}() has had no effect on {operation.subject}: the server "
            f"lets {role} say so, and does nothing",
            "Run it as the owner, or as the role that has granted it",
        )
        self.subject = operation.subject


class IrreversibleOperation(PgMigrationsError):
    """An operation that does not know how things were before it."""


@dataclass(eq=False)
class Operation(MigrateOperation, abc.ABC):
    """One change of one object, which may be asked for again at any time.

    A subclass is a dataclass whose fields are the arguments of its call in a revision: positional
    ones first, keyword-only ones rendered where they differ from their default. It has a
    classmethod named `operation_name`, which revisions call as `op.<operation_name>(…)`.
    """

    operation_name: ClassVar[str]
    autocommit: ClassVar[bool] = False
    """Whether the statement must be committed before anything else can use what it made."""

    on_server: ClassVar[bool] = False
    """Whether it changes what all databases of the server have in common, such as a role.

    One that makes such a thing has a field `was_there`: then its reverse is `nothing()`.
    """

    is_looked_after: ClassVar[bool] = False
    """Whether the server may take the statement and do nothing, so that it is looked again."""

    phase: ClassVar[Phase]

    def runs_in(self) -> Phase:
        """Return when it runs within a generated revision: the class's phase, by default."""
        return self.phase

    def takes(self) -> Iterable[Name]:
        """Return the names that it takes."""
        return ()

    def awaits(self) -> Iterable[Name]:
        """Return the names that nothing else may have by then: by default those that it takes."""
        return self.takes()

    @property
    def drops_table(self) -> bool:
        """Tell whether it goes where tables go, for a part of one that goes with it."""
        return False

    @property
    @abc.abstractmethod
    def subject(self) -> str:
        """What it changes, as messages call it: `enum job_status`."""

    @abc.abstractmethod
    def pending(self, connection: Connection) -> bool:
        """Look whether anything is to do.

        Raises:
            DifferentObject: The object is there and is neither what the operation starts from
                nor what it makes.
            MissingObject: What it would change is not there.
        """

    @abc.abstractmethod
    def statements(self) -> Sequence[str]:
        """Return the SQL that makes the change."""

    @abc.abstractmethod
    def guarded_statements(self) -> Sequence[str]:
        """Return SQL that looks by itself before it makes the change, for `--sql` output."""

    @abc.abstractmethod
    def reverse(self) -> MigrateOperation:
        """Return the operation that undoes this one."""

    def merged(self, following: MigrateOperation) -> MigrateOperation | None:
        """Return one operation that does what this and the following one do, if there is one."""
        return None

    def call(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of the call that a revision shows."""
        positional: list[Any] = []
        keyword: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not field.metadata.get("render", True):
                continue
            if not field.kw_only:
                positional.append(value)
            elif value != field.default:
                keyword[field.name] = value
        return positional, keyword

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return the operation as `alembic check` prints it."""
        positional, keyword = self.call()
        return (self.operation_name, *positional, *([keyword] if keyword else []))


def nothing() -> MigrateOperation:
    """Return what is left out of a generated revision."""
    return ModifyTableOps("", [])


def perform(operations: Operations, operation: Operation) -> None:
    """Carry an operation out: the implementation that Alembic calls for every one of ours."""
    if is_offline(operations):
        statements = operation.guarded_statements()
    elif operation.pending(connection_of(operations)):
        statements = operation.statements()
    else:
        log.info("Nothing to do for %s: %s", operation.operation_name, operation.subject)
        return
    if operation.is_looked_after and not is_offline(operations):
        _send_and_look(operations, operation, statements)
    elif operation.on_server:
        _send_to_server(operations, operation, statements)
    elif operation.autocommit:
        with outside_transaction(operations):
            _send(operations, statements)
    else:
        _send(operations, statements)


def _send(operations: Operations, statements: Sequence[str]) -> None:
    for statement in statements:
        execute(operations, statement)


def _send_and_look(operations: Operations, operation: Operation, statements: Sequence[str]) -> None:
    """Send what the server answers by no more than a warning where the role may not do it."""
    if operation.on_server:
        _send_to_server(operations, operation, statements)
    else:
        _send(operations, statements)
    connection = connection_of(operations)
    if operation.pending(connection):
        raise WithoutEffect(operation, connection.execute(text("SELECT current_user")).scalar_one())


def _send_to_server(
    operations: Operations, operation: Operation, statements: Sequence[str]
) -> None:
    """Change what all databases of the server share, which no lock of this one guards."""
    if not is_offline(operations):
        refuse_shared(connection_of(operations), operation.subject)
    try:
        _send(operations, statements)
    except DBAPIError as error:
        if sqlstate(error) == _DUPLICATE_OBJECT:
            raise MadeMeanwhile(operation.subject) from error
        raise


_DUPLICATE_OBJECT = "42710"
