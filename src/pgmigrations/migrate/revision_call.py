"""What the files of revisions call, without running them."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pgmigrations.migrate.core.operation import Operation

RevisionCall: TypeAlias = tuple[str, tuple[object, ...]]
"""The name of an operation, and its positional arguments."""


class _UnknownError(Exception):
    """Only running it tells the value."""


def revision_calls(path: Path, operations: Mapping[str, type[Operation]]) -> Iterator[RevisionCall]:
    """Yield the calls of operations on the way up, in the order of the file.

    What `upgrade()` calls of its own module is followed, as are constants, loops over them, and
    texts that are put together of them; a call with anything else is left out, and so is a file
    without its source.

    Args:
        path: The file.
        operations: Those that are looked for, by name.
    """
    source = path.read_bytes()
    if path.suffix == ".py" and any(name.encode() in source for name in operations):
        yield from _Reader(operations, ast.parse(source)).calls_of_upgrade()


class _Reader:
    def __init__(self, operations: Mapping[str, type[Operation]], module: ast.Module) -> None:
        self._operations = operations
        self._functions = {one.name: one for one in module.body if isinstance(one, ast.FunctionDef)}
        self._constants: dict[str, Any] = {}
        for one in module.body:
            if isinstance(one, ast.Assign | ast.AnnAssign):
                _assign(one, self._constants)

    def calls_of_upgrade(self) -> Iterator[RevisionCall]:
        """Yield the calls that `upgrade()` comes to."""
        yield from self._in_function("upgrade", {})

    def _in_function(self, name: str, given: Mapping[str, Any]) -> Iterator[RevisionCall]:
        # Out of reach while it is followed: none is followed into itself.
        function = self._functions.pop(name, None)
        if function is None:
            return
        known = {**self._constants, **given}
        for statement in function.body:
            yield from self._calls(statement, known)
        self._functions[name] = function

    def _calls(self, node: ast.AST, known: dict[str, Any]) -> Iterator[RevisionCall]:
        """Yield the calls in a part of a function, given what its names stand for."""
        if isinstance(node, ast.FunctionDef):
            self._functions[node.name] = node
            return
        if isinstance(node, ast.Assign | ast.AnnAssign):
            _assign(node, known)
        elif isinstance(node, ast.For):
            yield from self._in_loop(node, known)
            return
        elif isinstance(node, ast.Call):
            yield from self._call(node, known)
        for child in ast.iter_child_nodes(node):
            yield from self._calls(child, known)

    def _in_loop(self, node: ast.For, known: dict[str, Any]) -> Iterator[RevisionCall]:
        found = _known_value(node.iter, known)
        items = list(found) if isinstance(found, tuple | str) else [None]
        for item in items:
            inside = dict(known)
            _bind(node.target, item, inside)
            for child in node.body:
                yield from self._calls(child, inside)

    def _call(self, node: ast.Call, known: dict[str, Any]) -> Iterator[RevisionCall]:
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        operation = self._operations.get(name)
        if operation is None:
            yield from self._in_function(name, self._arguments(name, node, known))
            return
        fields = [one.name for one in dataclasses.fields(operation) if not one.kw_only]
        given = dict(zip(fields, node.args, strict=False))
        given |= {one.arg: one.value for one in node.keywords if one.arg in fields}
        try:
            yield name, tuple(_value(given[one], known) for one in fields)
        except (_UnknownError, KeyError):
            return

    def _arguments(self, name: str, node: ast.Call, known: Mapping[str, Any]) -> dict[str, Any]:
        """What the parameters of a function of the module stand for in a call."""
        function = self._functions.get(name)
        if function is None:
            return {}
        names = [one.arg for one in function.args.args]
        given = dict(zip(names, node.args, strict=False))
        given |= {one.arg: one.value for one in node.keywords if one.arg in names}
        return {one: _known_value(given.get(one), known) for one in names}


def _assign(node: ast.Assign | ast.AnnAssign, known: dict[str, Any]) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    value = _known_value(node.value, known)
    for target in targets:
        _bind(target, value, known)


def _bind(target: ast.AST, value: Any, known: dict[str, Any]) -> None:
    """Let names stand for a value; None is one that is not known."""
    if isinstance(target, ast.Name):
        known[target.id] = value
    elif isinstance(target, ast.Tuple):
        values = value if isinstance(value, tuple) else ()
        for number, one in enumerate(target.elts):
            _bind(one, values[number] if len(values) == len(target.elts) else None, known)


def _known_value(node: ast.AST | None, known: Mapping[str, Any]) -> Any:
    """Return a value, or None for one that only running it tells."""
    try:
        return _value(node, known)
    except _UnknownError:
        return None


def _value(node: ast.AST | None, known: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant) and node.value is not None:
        return node.value
    if isinstance(node, ast.Name) and known.get(node.id) is not None:
        return known[node.id]
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return tuple(_value(one, known) for one in node.elts)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(_value(one, known)) for one in node.values)
    if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
        return _value(node.value, known)
    raise _UnknownError
