"""What a role may do, in two states, and what leads from the one to the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

P = TypeVar("P")


class HasPrivileges(Protocol):
    """A record of privileges."""

    @property
    def privileges(self) -> Sequence[str]:
        """Their names."""

    @property
    def grantable(self) -> Sequence[str]:
        """Those that may be granted in their turn."""


@dataclass(frozen=True)
class PrivilegeStep:
    """Some privileges that are granted or revoked at once.

    Attributes:
        is_grant: Whether they are granted.
        privileges: Their names, sorted.
        grantable: Whether they may be granted in their turn, after a grant or before a revocation.
        option_only: Whether that is all that changes.
    """

    is_grant: bool
    privileges: list[str]
    grantable: bool = False
    option_only: bool = False


def steps(before: HasPrivileges | None, after: HasPrivileges | None) -> Iterator[PrivilegeStep]:
    """Yield what leads from one state of a role's privileges on something to another."""
    old, old_option = _sets(before)
    new, new_option = _sets(after)
    stay = old & new
    for step in (
        PrivilegeStep(False, sorted(old - new - old_option)),
        PrivilegeStep(False, sorted((old - new) & old_option), grantable=True),
        PrivilegeStep(False, sorted(stay & old_option - new_option), option_only=True),
        PrivilegeStep(True, sorted(new - old - new_option)),
        PrivilegeStep(True, sorted((new - old) & new_option), grantable=True),
        PrivilegeStep(True, sorted(stay & new_option - old_option), True, option_only=True),
    ):
        if step.privileges:
            yield step


@dataclass
class Sum(Generic[P]):
    """What several declarations add up to.

    Example:
        >>> total: Sum[str] = Sum()
        >>> total.add("users", ["SELECT"], grantable=False)
        >>> total.add("users", ["INSERT"], grantable=True)
        >>> list(total)
        [('users', ['INSERT', 'SELECT'], ['INSERT'])]
    """

    _privileges: dict[P, set[str]] = field(default_factory=lambda: defaultdict(set))
    _grantable: dict[P, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, place: P, privileges: Iterable[str], *, grantable: bool) -> None:
        """Add privileges on one thing."""
        self._privileges[place].update(privileges)
        if grantable:
            self._grantable[place].update(privileges)

    def __iter__(self) -> Iterator[tuple[P, list[str], list[str]]]:
        for place, privileges in self._privileges.items():
            yield place, sorted(privileges), sorted(self._grantable[place])


def _sets(state: HasPrivileges | None) -> tuple[set[str], set[str]]:
    return (set(), set()) if state is None else (set(state.privileges), set(state.grantable))
