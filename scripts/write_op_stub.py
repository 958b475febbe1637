"""Write `src/pgmigrations/op.pyi`, which tells editors and mypy of every operation.

Run it after adding an operation; a test fails while the file is stale.
"""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path

from alembic.operations import Operations

from pgmigrations import op
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.kinds import KINDS

STUB = Path(__file__).parent.parent / "src" / "pgmigrations" / "op.pyi"

HEADER = '''\
# Written by scripts/write_op_stub.py.
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


def _operation(operation: type[Operation]) -> str:
    name = operation.operation_name
    signature = inspect.signature(getattr(operation, name))
    parameters = [one for one in signature.parameters.values() if one.name != "operations"]
    # Registering moved the docstring onto the method that Alembic made.
    documented = getattr(Operations, name).__doc__
    return _function(name, signature.replace(parameters=parameters), documented)


def _function(name: str, signature: inspect.Signature, documentation: str | None) -> str:
    lines = []
    keyword_only = False
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            lines.append("    *,")
        default = (
            "" if parameter.default is inspect.Parameter.empty else f" = {parameter.default!r}"
        )
        lines.append(f"    {parameter.name}: {parameter.annotation}{default},")
    text = textwrap.indent(inspect.cleandoc(documentation or ""), "    ").strip()
    arguments = "\n".join(lines)
    return (
        f'def {name}(\n{arguments}\n) -> {signature.return_annotation}:\n    """{text}\n    """\n'
    )


if __name__ == "__main__":
    STUB.write_text(stub())
