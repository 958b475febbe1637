"""A template as tests look at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple


class Statement(NamedTuple):
    """A statement of a policy, as plain values."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: str = ""


@dataclass(frozen=True)
class Resources:
    """The resources of a template.

    Args:
        template: The CloudFormation template.
    """

    template: dict[str, Any]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of a type by their logical ids."""
        found = self.template["Resources"].items()
        return {name: resource for name, resource in found if resource["Type"] == kind}

    def one(self, kind: str, below: str = "") -> dict[str, Any]:
        """The only resource of a type whose logical id begins so."""
        (found,) = [one for name, one in self.of(kind).items() if name.startswith(below)]
        return found

    def name(self, kind: str, below: str = "") -> str:
        """Its logical id."""
        (found,) = [name for name in self.of(kind) if name.startswith(below)]
        return found

    def function(self) -> dict[str, Any]:
        """The properties of the migrating function."""
        properties: dict[str, Any] = self.one("AWS::Lambda::Function", "MigrationFunction")[
            "Properties"
        ]
        return properties

    def statements(self) -> Iterator[tuple[str, Statement]]:
        """Every statement of every policy, with the logical id of the role or policy."""
        for kind in ("AWS::IAM::Role", "AWS::IAM::Policy"):
            for name, resource in self.of(kind).items():
                properties = resource["Properties"]
                policies = properties.get("Policies", [properties])
                for policy in policies:
                    for one in policy.get("PolicyDocument", {}).get("Statement", []):
                        yield name, _statement(one)


def flat(value: object) -> str:
    """A value of a template as one line: `Ref` and `Fn::GetAtt` as `{name}` and `{name.Arn}`."""
    match value:
        case {"Ref": str(name)}:
            return f"{{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{{{name}.{attribute}}}"
        case {"Fn::Join": [separator, list(parts)]}:
            return str(separator).join(map(flat, parts))
        case {"Fn::Select": [int(number), {"Fn::Split": [separator, text]}]}:
            return f"{flat(text)}/{separator}{number}"
        case _:
            return str(value)


def _statement(one: dict[str, Any]) -> Statement:
    def texts(value: object) -> tuple[str, ...]:
        return tuple(map(flat, value if isinstance(value, list) else [value]))

    conditions = [
        f"{operator} {key} {flat(value)}"
        for operator, keys in one.get("Condition", {}).items()
        for key, value in keys.items()
    ]
    return Statement(
        one["Effect"], texts(one["Action"]), texts(one["Resource"]), "; ".join(conditions)
    )
