"""Write what is known of every operation.

That is `src/pgmigrations/op.pyi`, its page in the docs, and what a run knows of the rooms before it
imports them.

Run `python -m scripts.write_operations` after adding one; a test fails while a file is stale.
"""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from alembic.operations import Operations

from pgmigrations import op
from pgmigrations.migrate import objects
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.kinds import KINDS
from pgmigrations.plugin import ensure_registered

REPOSITORY = Path(__file__).parent.parent
STUB = REPOSITORY / "src" / "pgmigrations" / "op.pyi"
ROOMS = REPOSITORY / "src" / "pgmigrations" / "migrate" / "rooms.py"
PAGE = REPOSITORY / "docs" / "reference" / "operations.md"

_LINE_LENGTH = 100

ensure_registered()

HEADER = '''\
# Written by scripts/write_operations.py.
"""Alembic's operations and ours, for revisions: `from pgmigrations import op`."""

from collections.abc import Mapping, Sequence
from typing import Any

from alembic.op import *
from sqlalchemy.types import UserDefinedType
'''


def stub() -> str:
    """Return what the stub should say."""
    parts = [HEADER]
    for kind in KINDS:
        parts.extend(_operation(operation) for operation in kind.operations)
    parts.append(_function("sql_type", inspect.signature(op.sql_type), op.sql_type.__doc__))
    return "\n".join(parts)


ROOMS_HEADER = '''\
# Written by scripts/write_operations.py.
"""The rooms of all kinds, with the operations for which they are imported."""

from pgmigrations.migrate.core.deferral import Room

ROOMS = (
'''


def rooms() -> str:
    """Return what the list of the rooms should say."""
    parts = [ROOMS_HEADER]
    for kind in KINDS:
        parts.append(f'    Room(\n        "{objects.__name__}.{kind.name}",\n')
        own = [one.operation_name for one in kind.operations]
        for name, values in (
            ("operations", own),
            ("implementations", [one.__name__ for one in kind.implementations]),
        ):
            if values:
                parts.append(_tuple(name, values))
        parts.append("    ),\n")
    return "".join([*parts, ")\n"])


def _tuple(name: str, values: Sequence[str]) -> str:
    """Write a tuple of names as the formatter would."""
    said = [_value(one) for one in values]
    line = f"        {name}=({', '.join(said)}{',' * (len(said) == 1)}),\n"
    if len(line) <= _LINE_LENGTH:
        return line
    lines = "".join(f"            {one},\n" for one in said)
    return f"        {name}=(\n{lines}        ),\n"


def _operation(operation: type[Operation]) -> str:
    name = operation.operation_name
    # Registering moved the docstring onto the method that Alembic made.
    documented = getattr(Operations, name).__doc__
    return _function(name, _signature(operation), documented)


def _signature(operation: type[Operation]) -> inspect.Signature:
    """Return the call as a revision makes it, without Alembic's own first argument."""
    signature = inspect.signature(getattr(operation, operation.operation_name))
    parameters = [one for one in signature.parameters.values() if one.name != "operations"]
    return signature.replace(parameters=parameters)


def _value(value: object) -> str:
    """Write a default as the formatter would."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _function(name: str, signature: inspect.Signature, documentation: str | None) -> str:
    lines = []
    keyword_only = False
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            lines.append("    *,")
        default = ""
        if parameter.default is not inspect.Parameter.empty:
            default = f" = {_value(parameter.default)}"
        lines.append(f"    {parameter.name}: {parameter.annotation}{default},")
    text = textwrap.indent(inspect.cleandoc(documentation or ""), "    ").strip()
    arguments = "\n".join(lines)
    return (
        f'def {name}(\n{arguments}\n) -> {signature.return_annotation}:\n    """{text}\n    """\n'
    )


PAGE_HEADER = """\
# Operations

<!-- Written by scripts/write_operations.py. -->

Revisions say `from pgmigrations import op`; all of
[Alembic's operations](https://alembic.sqlalchemy.org/en/latest/ops.html) are there, and these. Each
looks first: what is done already is skipped, and an object of the same name that differs stops the
revision with both definitions shown. With `--sql` they write SQL that looks by itself.

`op.create_foreign_key`, `op.create_unique_constraint` and `op.create_check_constraint` take
`if_not_exists=True`, which PostgreSQL has no word for: the constraint is looked up by its name, or
by its columns where it has none.
"""


def page() -> str:
    """Return what the page in the docs should say."""
    parts = [PAGE_HEADER]
    for kind in KINDS:
        for operation in kind.operations:
            signature = _signature(operation)
            arguments = ", ".join(_arguments(signature))
            text = getattr(Operations, operation.operation_name).__doc__ or ""
            parts.append(f"## op.{operation.operation_name}({arguments})\n\n{_markdown(text)}")
    parts.append(f"## op.sql_type(definition)\n\n{_markdown(op.sql_type.__doc__ or '')}")
    return "\n".join(parts)


def _arguments(signature: inspect.Signature) -> Iterator[str]:
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            yield f"{name}={_value(parameter.default)}"
        else:
            yield name


def _markdown(docstring: str) -> str:
    """Turn the sections of a docstring into Markdown: an example is code, all else a list."""
    lines: list[str] = []
    section = ""
    for line in inspect.cleandoc(docstring).splitlines():
        if section == "Example" and not line:
            continue
        if line.removesuffix(":") in ("Example", "Args", "Raises"):
            lines += [*_section_end(section), line]
            section = line.removesuffix(":")
            lines += ["", "```python" if section == "Example" else ""][: 1 + (section == "Example")]
        elif section == "Example":
            lines.append(line.removeprefix("    "))
        elif section and line.startswith("        "):
            lines.append("  " + line.strip())
        elif section and line.strip():
            name, _, rest = line.strip().partition(":")
            lines.append(f"- `{name}`:{rest}")
        else:
            lines.append(line)
    return "\n".join([*lines, *_section_end(section)]) + "\n"


def _section_end(section: str) -> list[str]:
    return ["```", ""] if section == "Example" else []


if __name__ == "__main__":
    STUB.write_text(stub())
    PAGE.write_text(page())
    ROOMS.write_text(rooms())
