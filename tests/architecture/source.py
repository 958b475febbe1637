"""Python files read as syntax trees: what they import, and which underscore names they touch."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One imported name.

    Args:
        name: Absolute dotted name; `from a.b import c` gives `a.b` and `a.b.c`.
        line: Line in the file.
        function: The function that the import stands in, empty at module level.
        typing_only: Whether it stands below `if TYPE_CHECKING:`.
    """

    name: str
    line: int
    function: str = ""
    typing_only: bool = False

    def is_of(self, package: str) -> bool:
        """Whether the name is the package or lies in it."""
        return self.name == package or self.name.startswith(f"{package}.")


@dataclass(frozen=True)
class Source:
    """A module's name and text.

    Args:
        module: Dotted name, such as `pgmigrations.migrate.core.order`.
        text: The file's content.
        is_package: Whether the file is an `__init__.py`.
    """

    module: str
    text: str
    is_package: bool = False

    @classmethod
    def read(cls, path: Path, base: Path) -> Source:
        """Read a file; its module name follows from the folder that holds the package."""
        parts = path.relative_to(base).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        return cls(name, path.read_text(encoding="utf-8"), is_package)

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import in the file, wherever it stands."""
        return tuple(self._imports_below(self.tree, function="", typing_only=False))

    def _imports_below(
        self, node: ast.AST, *, function: str, typing_only: bool
    ) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            for name in self._names(child):
                yield Import(name, getattr(child, "lineno", 0), function, typing_only)
            inside = function
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                inside = function or child.name
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                for statement in child.body:
                    block = ast.Module([statement], [])
                    yield from self._imports_below(block, function=inside, typing_only=True)
                child = ast.Module(child.orelse, [])
            yield from self._imports_below(child, function=inside, typing_only=typing_only)

    def _names(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = self._absolute(node)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func).rpartition(".")[2]
            target = node.args[0]
            if called in {"import_module", "__import__"} and isinstance(target, ast.Constant):
                yield str(target.value)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.module.split(".")
        base = parts[: len(parts) - node.level + int(self.is_package)]
        return ".".join([*base, *([node.module] if node.module else [])])

    @cached_property
    def own_names(self) -> frozenset[str]:
        """The names that the file defines: functions, classes, variables and attributes."""
        return frozenset(_defined(self.tree))

    @cached_property
    def attributes(self) -> tuple[tuple[str, int], ...]:
        """Every attribute that the file reads or writes, with its line."""
        return tuple(
            (node.attr, node.lineno)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Attribute)
        )


def is_private(name: str) -> bool:
    """Whether a name begins with one underscore (`__name__` does not)."""
    return name.startswith("_") and not name.startswith("__")


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


@lru_cache
def private_names_of(package: str) -> frozenset[str]:
    """Collect the underscore names that an installed package defines anywhere in its source."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"{package} is not installed")
    folder = Path(spec.submodule_search_locations[0])
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        if "testing" not in path.parts:
            found |= Source.read(path, folder.parent).own_names
    return frozenset(filter(is_private, found))
