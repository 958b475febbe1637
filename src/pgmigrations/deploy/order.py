"""What a deployment is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pgmigrations.deploy.failure import InvalidOrder

_SWITCHES = {"true": True, "false": False}


@dataclass(frozen=True)
class Order:
    """What a deployment is asked for.

    Attributes:
        target: Up to which revision: `head`, `heads`, or an id.
        rotate: Whether every password of the application is changed.
        adopt: Whether a database of node-pg-migrate or plain Alembic is taken over first; any other
            database, and one that is adopted already, is let be.
        keep: Tables that no model declares and that an adoption leaves as they are.
        verify: Whether the database is compared with the models in the end.
        request: What tells a try of the same order from another order: what has been rotated for
            it is not rotated again. Empty for an order that is never tried again.
    """

    target: str = "head"
    rotate: bool = False
    adopt: bool = False
    keep: tuple[str, ...] = ()
    verify: bool = False
    request: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Order:
        """Read an order as a program gives it; CloudFormation gives every value as text.

        Example:
            >>> Order.of({"target": "head", "rotate": "true"})
            Order(target='head', rotate=True, adopt=False, keep=(), verify=False)

        Args:
            values: Any of the attributes; `keep` as a list.

        Raises:
            InvalidOrder: A key is unknown, or a value does not fit.
        """
        known: dict[str, type] = {field.name: type(field.default) for field in fields(cls)}
        read: dict[str, Any] = {}
        for key, value in values.items():
            if key not in known:
                raise InvalidOrder(f"There is no {key!r} in an order", f"It has {', '.join(known)}")
            kind = known[key]
            if kind is bool and isinstance(value, str):
                value = _SWITCHES.get(value, value)
            if kind is tuple and isinstance(value, list):
                value = tuple(map(str, value))
            if not isinstance(value, kind):
                wanted = {str: "a text", bool: "true or false", tuple: "a list"}[kind]
                raise InvalidOrder(f"{key} = {value!r} does not fit", f"It is {wanted}")
            if key == "target" and not str(value).strip("@ "):
                raise InvalidOrder(
                    "The target names no revision", "It is head, heads or a revision's id"
                )
            read[key] = value
        return cls(**read)


def order_of_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the environment asks every deployment for, where nobody passes an order.

    `PGMIGRATIONS_ADOPT` and `PGMIGRATIONS_VERIFY` are `true` or `false`; `PGMIGRATIONS_KEEP` names
    tables, by blanks or commas.

    Example:
        >>> Order.of(order_of_environment(os.environ) | {"rotate": True})

    Args:
        environ: The environment.
    """
    asked: dict[str, Any] = {
        key: environ[name]
        for key, name in (("adopt", "PGMIGRATIONS_ADOPT"), ("verify", "PGMIGRATIONS_VERIFY"))
        if environ.get(name)
    }
    kept = environ.get("PGMIGRATIONS_KEEP", "").replace(",", " ").split()
    return asked | ({"keep": kept} if kept else {})
