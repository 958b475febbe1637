"""What a revision does, as one number that neither its formatting nor its comments change."""

from __future__ import annotations

import ast
import hashlib
import sys
from functools import lru_cache

_LENGTH = 16
_DEEPER = 20


# An upgrade that has written them into the ledger writes them into the manifest, too.
@lru_cache(maxsize=10_000)
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
    words: list[str] = []
    tree = ast.parse(source)
    try:
        _write(tree, words)
    except RecursionError:
        # Each term of a long sum is a level; what the parser has read can be gone through.
        words.clear()
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit * _DEEPER)
        try:
            _write(tree, words)
        finally:
            sys.setrecursionlimit(limit)
    words.append("")
    text = "\0".join(words).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_LENGTH).hexdigest()


# What says how the code was written and not what it does; and what one version has and another
# has not, where it is empty.
_LEFT_OUT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


def _write(node: object, words: list[str]) -> None:
    if isinstance(node, ast.AST):
        class_ = type(node)
        words.append(class_.__name__)
        for name in _fields(class_):
            value = getattr(node, name, None)
            if value is None or value == []:
                continue
            words.append(name)
            is_body = name == "body" and isinstance(value, list)
            _write(_without_docstring(node, value) if is_body else value, words)
        words.append(".")
    elif isinstance(node, list):
        words.append("[")
        for one in node:
            _write(one, words)
        words.append("]")
    else:
        words.append(f"{type(node).__name__} {node!r}")


def _fields(class_: type) -> list[str]:
    found = _FIELDS.get(class_)
    if found is None:
        names = getattr(class_, "_fields", ())
        found = _FIELDS[class_] = sorted(name for name in names if name not in _LEFT_OUT)
    return found


_FIELDS: dict[type, list[str]] = {}


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
