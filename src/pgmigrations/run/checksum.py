"""What a revision does, as one number that neither its formatting nor its comments change."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator

_LENGTH = 16


def checksum(source: str) -> str:
    """Return a checksum of Python code.

    Comments, blank lines, quotes, line breaks and docstrings do not count. It is the same on
    every supported Python: `ast.dump()` is not, since each version has fields of its own, so the
    tree is written down here in a form of our own.

    Example:
        >>> checksum("a = 1  # one") == checksum("a=1")
        True

    Args:
        source: The text of a revision file.

    Returns:
        32 hexadecimal digits.

    Raises:
        SyntaxError: It is no Python.
    """
    digest = hashlib.blake2b(digest_size=_LENGTH)
    for word in _words(ast.parse(source)):
        digest.update(word.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()


# What says how the code was written and not what it does; and what one version has and another
# has not, where it is empty.
_LEFT_OUT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


def _words(node: object) -> Iterator[str]:
    if isinstance(node, ast.AST):
        yield from _node(node)
    elif isinstance(node, list):
        yield "["
        for one in node:
            yield from _words(one)
        yield "]"
    else:
        yield f"{type(node).__name__} {node!r}"


def _node(node: ast.AST) -> Iterator[str]:
    yield type(node).__name__
    for name, value in sorted(ast.iter_fields(node)):
        if name in _LEFT_OUT or value is None or value == []:
            continue
        if name == "body" and isinstance(value, list):
            value = _without_docstring(node, value)
        yield name
        yield from _words(value)
    yield "."


def _without_docstring(node: ast.AST, body: list[ast.stmt]) -> list[ast.stmt]:
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    first = body[0]
    is_docstring = (
        isinstance(node, holders)
        and isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return body[1:] if is_docstring else body
