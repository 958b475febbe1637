"""Which tables a revision goes through from end to end, read off its operations."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

_Arguments = Mapping[str, ast.expr]
_REBUILDING = frozenset({"type", "not_null", "generated"})
_MOVING = frozenset({"persistence", "tablespace", "access_method"})


def scanned_tables(source: str) -> list[tuple[str, str]]:
    r"""The tables that `upgrade()` reads or writes as a whole, as often as it does.

    Building an index, checking a constraint or NOT NULL, changing a type, moving a table. Only
    calls of `op` whose table is a text are seen: generated revisions have no others.

    Example:
        >>> scanned_tables("def upgrade():\n  op.create_index('ix', 'page', ['title'])\n")
        [('', 'page')]

    Args:
        source: The revision's file.

    Returns:
        Schema, empty for the default one, and table.
    """
    return [
        (_text(arguments.get("schema")), table)
        for name, arguments in _calls(ast.parse(source))
        if name in _SCANS and _SCANS[name](arguments) and (table := _table(arguments))
    ]


def _calls(tree: ast.Module) -> Iterator[tuple[str, _Arguments]]:
    """The operations, with their arguments by name or position."""
    upgrade = [one for one in tree.body if _is_upgrade(one)]
    for node in (node for function in upgrade for node in ast.walk(function)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "op":
            placed = {str(number): one for number, one in enumerate(node.args)}
            named = {one.arg: one.value for one in node.keywords if one.arg}
            yield node.func.attr, {**_named(node.func.attr, placed), **named}


def _is_upgrade(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "upgrade"


def _named(operation: str, placed: _Arguments) -> _Arguments:
    names = _POSITIONS.get(operation, _BESIDE)
    return {names.get(number, number): one for number, one in placed.items()}


def _table(arguments: _Arguments) -> str:
    keys = ("table", "table_name", "source_table")
    return next((text for key in keys if (text := _text(arguments.get(key)))), "")


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _always(_: _Arguments) -> bool:
    return True


def _is_checked(arguments: _Arguments) -> bool:
    late = arguments.get("postgresql_not_valid")
    is_late = isinstance(late, ast.Constant) and late.value is True
    return not is_late and not _text(arguments.get("definition")).rstrip().endswith("NOT VALID")


def _changes(keys: frozenset[str]) -> Callable[[_Arguments], bool]:
    def is_changed(arguments: _Arguments) -> bool:
        new = arguments.get("new")
        return isinstance(new, ast.Dict) and any(_text(key) in keys for key in new.keys)

    return is_changed


def _is_altered(arguments: _Arguments) -> bool:
    nullable = arguments.get("nullable")
    is_required = isinstance(nullable, ast.Constant) and nullable.value is False
    return "type_" in arguments or is_required


# Most operations take their own name first, and their table second.
_BESIDE = {"0": "name", "1": "table", "2": "definition"}
_POSITIONS = {
    "change_column": {"0": "table", "3": "new"},
    "change_table": {"0": "table", "2": "new"},
    "alter_column": {"0": "table"},
}
_SCANS: dict[str, Callable[[_Arguments], bool]] = {
    "create_index": _always,
    "create_index_as": _always,
    "replace_index": _always,
    "create_unique_constraint": _always,
    "create_primary_key": _always,
    "create_check_constraint": _is_checked,
    "create_foreign_key": _is_checked,
    "add_constraint": _is_checked,
    "replace_constraint": _always,
    "validate_constraint": _always,
    "change_column": _changes(_REBUILDING),
    "change_table": _changes(_MOVING),
    "alter_column": _is_altered,
}
