"""What a database holds, as frozen records, and how two such states differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar

Identity: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """One object of a database.

    Attributes:
        kind: Which kind of object it is.
        schema: Its schema, always said; empty for what belongs to no schema.
        name: Its name, unquoted.
        used_by: (schema, table, column) of what cannot do without it, the column empty for what
            else belongs to the table; no part of its definition.
        is_ours: Whether it may be proposed for dropping where no model declares it; what somebody
            else made may only satisfy a declaration.
    """

    kind: ClassVar[str]
    schema: str
    name: str
    used_by: frozenset[tuple[str, str, str]] = field(
        default=frozenset(), compare=False, kw_only=True, repr=False
    )
    is_ours: bool = field(default=True, compare=False, kw_only=True, repr=False)

    @property
    def identity(self) -> Identity:
        """What makes it the same object in two states, however it is defined."""
        return (self.kind, self.schema, self.name)

    @property
    def relation(self) -> tuple[str, str] | None:
        """(schema, name) of the table that it is a part of; None for what stands by itself."""
        return None

    @property
    def owning_column(self) -> tuple[str, ...]:
        """(schema, table, column) that it comes and goes with; empty for what has none."""
        return ()

    @property
    def referred_relations(self) -> tuple[tuple[str, str], ...]:
        """(schema, name) of the tables that must be there before it, its own left out."""
        return ()

    @property
    def joined_columns(self) -> tuple[tuple[str, str, str], ...]:
        """(schema, table, column) of those that it compares with columns of other rows."""
        return ()

    @property
    def included_columns(self) -> tuple[str, ...]:
        """Names of those that its index has with it, beside those that it is on."""
        return ()

    @property
    def takes_relation_name(self) -> bool:
        """Whether no other table, index or sequence of its schema can have its name."""
        return False

    @property
    def takes_type_name(self) -> bool:
        """Whether it is a type, whose name no table of its schema can have."""
        return False

    @property
    def stored_as(self) -> tuple[str, str] | None:
        """For a type whose values are another's: how the server prints it, and the other."""
        return None

    def restored(self) -> Self:
        """Return it as it is after a dump and restore, which some states do not outlive."""
        return self

    @property
    def filter_type(self) -> str:
        """What a project's `include_name` is told that it is."""
        return self.kind


@dataclass(frozen=True)
class Scope:
    """Which part of a database is looked at.

    Attributes:
        default_schema: Where unqualified names live: the connection's `current_schema()`.
        schemas: Every schema looked at, the default one included.
        ignore_extensions: Extensions that are nobody's business here.
        ignore_relations: (schema, name) of tables that are left out, such as the version table.
        roles: The roles that the models declare.
        grantees: Whose privileges are looked at: those roles, and others that a grant names.
        granted_schemas: Schemas that a grant names; of what is in them only that is looked at.
    """

    default_schema: str
    schemas: frozenset[str]
    ignore_extensions: frozenset[str] = frozenset()
    ignore_relations: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    roles: frozenset[str] = frozenset()
    grantees: frozenset[str] = frozenset()
    granted_schemas: frozenset[str] = frozenset()

    @property
    def parameters(self) -> dict[str, list[str]]:
        """What a catalog's statement may ask for, by name."""
        return {
            "schemas": sorted(self.schemas),
            "roles": sorted(self.roles),
            "grantees": sorted(self.grantees),
            "places": sorted(self.schemas | self.granted_schemas),
        }

    def shown_schema(self, schema: str) -> str | None:
        """Return the schema as a revision names it: not at all where it is the default one."""
        return None if schema == self.default_schema else schema


R = TypeVar("R", bound=Record)
Snapshot: TypeAlias = Mapping[Identity, R]


def relation_names(state: Snapshot[Any]) -> set[tuple[str, str]]:
    """Return (schema, name) of all that shares its names with tables."""
    return {(one.schema, one.name) for one in state.values() if one.takes_relation_name}


def snapshot(records: Iterable[R]) -> Snapshot[R]:
    """Collect records under their identities."""
    return {record.identity: record for record in records}


@dataclass(frozen=True)
class Change(Generic[R]):
    """One object before and after; None where it is not there."""

    before: R | None
    after: R | None

    @property
    def record(self) -> R:
        """The object as it is afterwards, else as it was."""
        found = self.before if self.after is None else self.after
        assert found is not None
        return found


def differences(before: Snapshot[R], after: Snapshot[R]) -> Iterator[Change[R]]:
    """Yield what differs: what is gone or changed in the first's order, then what is new."""
    for identity, record in before.items():
        if after.get(identity) != record:
            yield Change(record, after.get(identity))
    for identity, record in after.items():
        if identity not in before:
            yield Change(None, record)
